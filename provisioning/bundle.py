"""A bundle for a USB stick: every signed document of a place and the recordings they name.

`loalang-bundle.json` is one parcel of all units above the place, `media/<digest>` the sound. A device verifies all of
it as if it had come over the link, so nobody has to trust whoever carried the stick.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol.bulletin import MediaRef
from protocol.document import Kind, read
from protocol.envelope import Envelope
from protocol.errors import DocumentError
from protocol.limits import ENVELOPES_IN_PARCEL_MAX, PARCEL_BYTES_MAX
from protocol.parcel import pack_parcel
from protocol.schedule import Programme, Schedule
from protocol.units import UnitPath
from provisioning.controller_line import ControllerLine
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from signer.disk import write_durably

FILE: Final = "loalang-bundle.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was written."""

    path: Path
    documents: int
    media: int
    size_bytes: int


async def make_bundle(line: ControllerLine, place: UnitPath, directory: Path) -> Bundle:
    """Fetches documents and media; the list of documents is written last, so half a bundle is never read.

    Raises:
        ProvisioningError: the controller or the stick fails, or a recording does not match its digest.
    """
    found = await line.documents()
    envelopes = found.envelopes()
    wanted = tuple(dict.fromkeys(_media(envelopes)))
    total = 0
    for media in wanted:
        total += await _keep(line, media, directory / "media" / media.digest)
    # A device reads in this order: whoever speaks must be known before.
    ordered = sorted(envelopes, key=lambda one: one.kind != Kind.GRANT)
    await asyncio.to_thread(_write, directory / FILE, _packed(place, tuple(ordered)))
    return Bundle(directory / FILE, len(envelopes), len(wanted), total)


def _packed(place: UnitPath, envelopes: tuple[Envelope, ...]) -> bytes:
    packed = pack_parcel(place, envelopes)
    if len(packed) > PARCEL_BYTES_MAX or len(envelopes) > ENVELOPES_IN_PARCEL_MAX:
        raise ProvisioningError(_("There are more documents than one bundle may carry."))
    return packed


def _media(envelopes: Iterable[Envelope]) -> Iterable[MediaRef]:
    for envelope in envelopes:
        try:
            document = read(envelope)
        except DocumentError:
            continue  # a newer kind: the device decides, the stick only carries
        if isinstance(document, Schedule):
            yield from (item.content.media for item in document.items if isinstance(item.content, Programme))


async def _keep(line: ControllerLine, media: MediaRef, path: Path) -> int:
    if await asyncio.to_thread(_is_there, path, media):
        return media.size_bytes
    data = await line.media(media.digest, size_bytes=media.size_bytes)
    if not _matches(data, media):
        words = _("The recording %(digest)s does not match its digest. The bundle was not written.")
        raise ProvisioningError(words % {"digest": media.digest[:12]})
    await asyncio.to_thread(_write, path, data)
    return media.size_bytes


def _is_there(path: Path, media: MediaRef) -> bool:
    return path.exists() and _matches(path.read_bytes(), media)


def _matches(data: bytes, media: MediaRef) -> bool:
    return len(data) == media.size_bytes and hashlib.sha256(data).hexdigest() == media.digest


def _write(path: Path, data: bytes) -> None:
    try:
        # A stick is read by another user of another machine.
        write_durably(path, data, mode=0o644)
    except OSError as error:
        words = _("%(path)s cannot be written: %(why)s")
        raise ProvisioningError(words % {"path": path, "why": error.strerror}) from error
