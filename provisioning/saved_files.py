"""Documents and recordings from a folder, where no controller can be reached: what a signer saved is enough."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.limits import ENVELOPES_IN_PARCEL_MAX, PARCEL_BYTES_MAX
from provisioning.errors import ProvisioningError
from provisioning.grant_files import read_envelope
from provisioning.i18n import gettext as _
from provisioning.stick_files import digest_of, read_some

_FILES_LOOKED_AT_MAX: Final = 10_000


def read_envelopes(path: Path) -> tuple[Envelope, ...]:
    """The envelopes in a file: one by itself, or as many as a signer saved together.

    Raises:
        ProvisioningError: it is no such file.
    """
    try:
        data = read_some(path.resolve(), PARCEL_BYTES_MAX)
        saved = json.loads(data) if len(data) <= PARCEL_BYTES_MAX else None
        packed = saved.get("envelopes") if isinstance(saved, dict) else None
        if not isinstance(packed, list):
            return (read_envelope(path),)
        return tuple(unpack(str(one).encode()) for one in packed[: ENVELOPES_IN_PARCEL_MAX + 1])
    except (OSError, ValueError, RecursionError, DocumentError) as error:
        words = _("%(path)s is not a signed document: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error}) from error


@dataclass(frozen=True, slots=True)
class _Saved:
    found: tuple[Envelope, ...]

    def envelopes(self) -> tuple[Envelope, ...]:
        return self.found


class SavedFiles:
    """Implements the bundle's source.

    Args:
        media: folder with recordings, under whatever names; None when no document needs one.
    """

    def __init__(self, envelopes: Sequence[Path], media: Path | None) -> None:
        self._envelopes, self._media = envelopes, media

    async def documents(self) -> _Saved:
        """All of the files, each document once."""
        found = {one.digest: one for path in self._envelopes for one in read_envelopes(path)}
        return _Saved(tuple(found.values()))

    async def media(self, digest: str, *, size_bytes: int) -> bytes:
        """The recording with this digest, whatever it is called.

        Raises:
            ProvisioningError: none of the files is it.
        """
        for path in self._files():
            if path.stat().st_size == size_bytes and digest_of(path, size_bytes=size_bytes) == digest:
                return read_some(path, size_bytes)
        words = _("The recording %(digest)s is not in the folder of recordings. Name the folder with --media.")
        raise ProvisioningError(words % {"digest": digest[:12]})

    def _files(self) -> list[Path]:
        if self._media is None:
            return []
        folder = self._media.resolve()
        with os.scandir(folder) as entries:
            found = [folder / one.name for one in entries if one.is_file(follow_symlinks=False)]
        if len(found) > _FILES_LOOKED_AT_MAX:
            raise ProvisioningError(_("The folder of recordings holds too many files."))
        return sorted(found)
