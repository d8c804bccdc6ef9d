"""A bundle for a USB stick: every signed document of a place and the recordings they name.

A device verifies all of it as if it had come over the link, so nobody has to trust whoever carried the stick. What
lies where is in protocol/stick.py. The list of documents is written last, so half a bundle is never read.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from protocol.bulletin import MediaRef
from protocol.document import ALERT_KINDS, Kind, read
from protocol.envelope import Envelope
from protocol.errors import DocumentError
from protocol.grants import Grant
from protocol.limits import ENVELOPES_IN_PARCEL_MAX, PARCEL_BYTES_MAX
from protocol.parcel import pack_parcel
from protocol.schedule import Programme, Schedule
from protocol.stick import BUNDLE, LOGS, MEDIA, ROOT
from protocol.units import UnitPath, depth
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _
from provisioning.stick_files import chunks_of, digest_of, free_bytes, make_directory, write_whole
from provisioning.terminal import megabytes

SIZE_MAX_BYTES: Final = 2 * 1024 * 1024 * 1024
_ROOT_FILES_MAX: Final = 10_000
_BY_LINK_ONLY: Final = frozenset({*ALERT_KINDS, Kind.LIVE_SESSION})
_FIRST: Final = (Kind.GRANT, Kind.DENIAL, Kind.ASSIGNMENT)
"""In this order: who may speak, who may not any more, who belongs where. Only then what they say."""


class Found(Protocol):
    """Documents that a source has."""

    def envelopes(self) -> tuple[Envelope, ...]: ...


class Line(Protocol):
    """Where documents and recordings come from: a controller, or a folder."""

    async def documents(self) -> Found:
        """All documents. Raises ProvisioningError."""
        ...

    async def media(self, digest: str, *, size_bytes: int) -> bytes:
        """A recording, not yet checked. Raises ProvisioningError."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be on the stick, known before anything is written.

    Attributes:
        root: files below the directory of the root, and their sizes.
        left_out: documents that sound at once, which no device takes from a stick.
        size_bytes: of all of it; what is there already counts as well.
    """

    packed: bytes
    documents: int
    left_out: int
    media: tuple[MediaRef, ...]
    root: tuple[tuple[Path, int], ...]

    @property
    def size_bytes(self) -> int:
        """Of all of it, with what is there already."""
        return len(self.packed) + sum(one.size_bytes for one in self.media) + sum(size for _, size in self.root)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was written."""

    path: Path
    documents: int
    media: int
    size_bytes: int
    left_out: int = 0


async def make_bundle(
    line: Line,
    place: UnitPath,
    directory: Path,
    *,
    root: Path | None = None,
    size_max_bytes: int = SIZE_MAX_BYTES,
    tell: Callable[[Plan], None] = lambda _: None,
) -> Bundle:
    """Brings documents, media and the files of the root onto a stick.

    Args:
        root: directory with TUF metadata and targets, as a web server shows it.
        tell: told what will be written, before anything is.

    Raises:
        ProvisioningError: the source or the stick fails, it does not fit, or a recording does not match its digest.
    """
    plan = _planned(place, (await line.documents()).envelopes(), root)
    tell(plan)
    there = await asyncio.to_thread(_already_there, directory, plan.media)
    _check_room(plan, directory, there, size_max_bytes)
    for media in plan.media:
        if media.digest not in there:
            await _bring(line, media, directory / MEDIA / media.digest)
    await asyncio.to_thread(_finish, plan, directory, root)
    return Bundle(directory / BUNDLE, plan.documents, len(plan.media), plan.size_bytes, plan.left_out)


def _planned(place: UnitPath, found: tuple[Envelope, ...], root: Path | None) -> Plan:
    kept = [one for one in found if one.kind not in _BY_LINK_ONLY]
    ordered = tuple(sorted(kept, key=_order))
    packed = pack_parcel(place, ordered)
    if len(packed) > PARCEL_BYTES_MAX or len(ordered) > ENVELOPES_IN_PARCEL_MAX:
        raise ProvisioningError(_("There are more documents than one bundle may carry."))
    media = tuple(dict.fromkeys(media_of(ordered)))
    return Plan(packed, len(ordered), len(found) - len(kept), media, tuple(_root_files(root)))


def _order(envelope: Envelope) -> tuple[int, int]:
    """Grants first, the wider before those that follow from them."""
    names = [str(kind) for kind in _FIRST]
    if envelope.kind not in names:
        return len(names), 0
    try:
        document = read(envelope)
    except DocumentError:
        return names.index(envelope.kind), 0
    above = -document.depth if isinstance(document, Grant) else depth(document.scope)  # type: ignore[union-attr]
    return names.index(envelope.kind), above


def media_of(envelopes: Iterable[Envelope]) -> Iterator[MediaRef]:
    """The recordings that these documents name, in their order."""
    for envelope in envelopes:
        try:
            document = read(envelope)
        except DocumentError:
            continue  # a newer kind: the device decides, the stick only carries
        if isinstance(document, Schedule):
            yield from (item.content.media for item in document.items if isinstance(item.content, Programme))


def _root_files(root: Path | None) -> Iterator[tuple[Path, int]]:
    if root is None:
        return
    count = 0
    for folder, _folders, names in os.walk(root, onerror=_raise):
        for name in sorted(names):
            path = Path(folder, name)
            count += 1
            if path.is_symlink() or not path.is_file():
                words = _("%(path)s is not an ordinary file. The bundle was not written.")
                raise ProvisioningError(words % {"path": path})
            if count > _ROOT_FILES_MAX:
                raise ProvisioningError(_("The directory of the root holds too many files."))
            yield path.relative_to(root), path.stat().st_size


def _raise(error: OSError) -> None:
    raise error


def _already_there(directory: Path, wanted: tuple[MediaRef, ...]) -> frozenset[str]:
    return frozenset(media.digest for media in wanted if _is_there(directory / MEDIA / media.digest, media))


def _is_there(path: Path, media: MediaRef) -> bool:
    try:
        return digest_of(path, size_bytes=media.size_bytes) == media.digest
    except OSError:
        return False


def _check_room(plan: Plan, directory: Path, there: frozenset[str], size_max_bytes: int) -> None:
    if plan.size_bytes > size_max_bytes:
        words = _("The bundle needs %(needed)s; at most %(most)s are allowed. Nothing was written.")
        raise ProvisioningError(words % {"needed": megabytes(plan.size_bytes), "most": megabytes(size_max_bytes)})
    needed = plan.size_bytes - sum(one.size_bytes for one in plan.media if one.digest in there)
    free = free_bytes(directory)
    if needed > free:
        words = _("The bundle needs %(needed)s more; %(path)s has %(free)s left. Nothing was written.")
        raise ProvisioningError(
            words % {"needed": megabytes(needed), "path": directory, "free": megabytes(free)},
        )


async def _bring(line: Line, media: MediaRef, path: Path) -> None:
    data = await line.media(media.digest, size_bytes=media.size_bytes)
    if len(data) != media.size_bytes or hashlib.sha256(data).hexdigest() != media.digest:
        words = _("The recording %(digest)s does not match its digest. The bundle was not written.")
        raise ProvisioningError(words % {"digest": media.digest[:12]})
    await asyncio.to_thread(write_whole, path, [data])


def _finish(plan: Plan, directory: Path, root: Path | None) -> None:
    make_directory(directory)
    for name, _size in plan.root:
        assert root is not None, "files of the root were found there"
        for above in reversed((name.parent, *name.parent.parents)):
            make_directory(directory / ROOT / above)
        write_whole(directory / ROOT / name, chunks_of(root / name))
    # It invites a device to carry its logs out.
    make_directory(directory / LOGS)
    write_whole(directory / BUNDLE, [plan.packed])
