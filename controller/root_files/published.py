"""What the root publishes that concerns this controller as well: denied epochs, and the anchor.

Nothing is verified here: whoever may write into the data directory can make this controller refuse, and no device.
Every word of the root that lies there counts, so an epoch never falls, as on a device; what cannot be read is told.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from protocol.denial import Denied, RootWord, read_root_word
from protocol.errors import DocumentError
from protocol.grants import Anchor, read_anchor
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX

logger = logging.getLogger(__name__)

FOLDER: Final = "root"
WORD: Final = "root-word.json"
ANCHOR: Final = "anchor.json"
METADATA_BYTES_MAX: Final = 5_000_000
FILES_MAX: Final = 20_000
WORDS_MAX: Final = 200
_ROLE: Final = re.compile(r"(?:([0-9]{1,9})\.)?(root|targets|snapshot|timestamp)\.json")
_WORD: Final = re.compile(r"([0-9a-f]{64})\.root-word\.json")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Published:
    """What lies in the folder.

    Attributes:
        denied: of each grantor the highest epoch.
        anchor: that of the newest list of files; None when it names none or cannot be read.
        anchor_digest: SHA-256 of its file; empty without one.
        damaged: names of the files that are there and cannot be read.
    """

    denied: tuple[Denied, ...] = ()
    anchor: Anchor | None = None
    anchor_digest: str = ""
    damaged: tuple[str, ...] = ()


class PublishedRoot:
    """The folder, read again when something in it has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: tuple[Path, ...] = ()
        self._stamp: tuple[int, ...] | None = None
        self._known = Published()

    def look(self) -> Published:
        """What is published now. Never fails; what was denied once stays denied as long as this service runs."""
        if self._stamp is None or self._stamp != self._look_at(self._read):
            found = self._take()
            if found.damaged and found.damaged != self._known.damaged:
                logger.error("files of the root cannot be read: %s", ", ".join(found.damaged))
            denied = _highest((*self._known.denied, *found.denied))
            self._known = replace(found, denied=denied)
        return self._known

    def _look_at(self, read: tuple[Path, ...]) -> tuple[int, ...]:
        metadata = self._folder / "metadata"
        places = (metadata, metadata / "timestamp.json", self._folder / "targets", *read)
        return tuple(_changed(path) for path in places)

    def _take(self) -> Published:
        word, anchor_at = (_named(self._folder, name) for name in (WORD, ANCHOR))
        words = {*_words(self._folder / "targets"), *([word] if word else [])}
        self._read = (*words, *([anchor_at] if anchor_at else []))
        self._stamp = self._look_at(self._read)  # before reading: what changes meanwhile is read again
        read = [_read_word(path) for path in words]
        anchor = _read_anchor(anchor_at) if anchor_at else None
        damaged = (*([WORD] if None in read else []), *([ANCHOR] if anchor_at and anchor is None else []))
        denied = _highest(one for said in read if said for one in said.denied)
        return Published(denied, anchor, anchor_at.name[:64] if anchor_at and anchor else "", damaged)


def newest_metadata(folder: Path) -> dict[str, Path]:
    """The newest file of each role in the folder `metadata`."""
    found: dict[str, tuple[int, Path]] = {}
    for path in _files(folder):
        named = _ROLE.fullmatch(path.name)
        if named is not None:
            version = int(named[1] or 0)
            if version >= found.get(named[2], (-1, path))[0]:
                found[named[2]] = (version, path)
    return {role: path for role, (_, path) in found.items()}


def read_signed(path: Path) -> dict[str, Any]:
    """What a file of metadata says.

    Raises:
        ValueError: it is none, or too large.
        OSError: it cannot be read.
    """
    try:
        signed = json.loads(_bytes(path, METADATA_BYTES_MAX))["signed"]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(path.name) from error
    if not isinstance(signed, dict):
        raise ValueError(path.name)
    return signed


def _files(folder: Path) -> Iterator[Path]:
    try:
        for _, path in zip(range(FILES_MAX), folder.iterdir(), strict=False):
            yield path
    except OSError:
        return


def _bytes(path: Path, bytes_max: int) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{path.name} is no ordinary file")
    with path.open("rb") as file:
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise ValueError(f"{path.name} is larger than {bytes_max} bytes")
    return data


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def _highest(found: Iterable[Denied]) -> tuple[Denied, ...]:
    highest: dict[str, Denied] = {}
    for one in found:
        if one.grantor not in highest or one.epoch > highest[one.grantor].epoch:
            highest[one.grantor] = one
    return tuple(highest.values())


def _words(folder: Path) -> Iterator[Path]:
    """Words of the root by the names of consistent snapshots; of very many the newest files."""
    named = (path for path in _files(folder) if _WORD.fullmatch(path.name))
    yield from sorted(named, key=_changed, reverse=True)[:WORDS_MAX]


def _named(folder: Path, name: str) -> Path | None:
    """The file that the newest list means by a name; a list that cannot be read is told elsewhere."""
    listed = newest_metadata(folder / "metadata").get("targets")
    try:
        digest = read_signed(listed)["targets"][name]["hashes"]["sha256"] if listed else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    named = isinstance(digest, str) and _DIGEST.fullmatch(digest) is not None
    return folder / "targets" / f"{digest}.{name}" if named else None


def _read_word(path: Path) -> RootWord | None:
    try:
        return read_root_word(_checked(path))
    except (OSError, ValueError, DocumentError):
        return None


def _read_anchor(path: Path) -> Anchor | None:
    try:
        return read_anchor(_checked(path))
    except (OSError, ValueError, DocumentError):
        return None


def _checked(path: Path) -> bytes:
    data = _bytes(path, ALERT_ENVELOPE_BYTES_MAX)
    if hashlib.sha256(data).hexdigest() != path.name[:64]:
        raise ValueError(f"{path.name} is damaged")
    return data
