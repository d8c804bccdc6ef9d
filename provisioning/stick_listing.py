"""What lies on a stick besides documents: recordings with their digests, logs, and whatever does not belong there.

Names are looked at, links are not followed, nothing is executed, and of strange files only the first bytes are read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from protocol.bulletin import MediaRef
from protocol.stick import BUNDLE, LOGS, MEDIA, ROOT, SEALED_SUFFIX
from provisioning.stick_files import digest_of, read_some

ENTRIES_MAX: Final = 10_000
_DEPTH_MAX: Final = 6
_DIGEST: Final = re.compile("[0-9a-f]{64}")
_STARTS_ITSELF: Final = re.compile(
    r".*\.(exe|com|bat|cmd|msi|scr|ps1|vbs|js|lnk|desktop|sh|inf|apk|jar)", re.IGNORECASE
)
_MAGIC: Final = (b"\x7fELF", b"MZ", b"#!")
_OF_SYSTEMS: Final = frozenset(
    {"System Volume Information", "$RECYCLE.BIN", ".Trashes", ".Spotlight-V100", ".fseventsd", "lost+found"}
)


class State(StrEnum):
    """Of a recording."""

    PRESENT = "present"
    MISSING = "missing"
    DAMAGED = "damaged"
    NOT_NAMED = "not named"


class Stray(StrEnum):
    """Why something does not belong on a stick; the first three are a reason to ask whose stick it is."""

    LINK = "link"
    DEVICE = "device"
    EXECUTABLE = "executable"
    TEMPORARY = "temporary"
    OTHER = "other"
    TOO_MANY = "too many"


ALARMING: Final = frozenset({Stray.LINK, Stray.DEVICE, Stray.EXECUTABLE, Stray.TOO_MANY})


@dataclass(frozen=True, slots=True)
class Recording:
    """One that a document names, or that lies among them."""

    digest: str
    size_bytes: int
    state: State


@dataclass(frozen=True, slots=True)
class Odd:
    """Something that does not belong on a stick; the name is as it stands there, not fit for a terminal."""

    name: str
    why: Stray


@dataclass(frozen=True, slots=True)
class Listing:
    """All that lies on a stick besides the list of documents."""

    recordings: tuple[Recording, ...]
    logs: tuple[str, ...]
    root_files: int
    odd: tuple[Odd, ...]


def list_stick(directory: Path, wanted: tuple[MediaRef, ...]) -> Listing:
    """Looks at everything, and reads the recordings that a document names.

    Raises:
        OSError: the directory itself cannot be read.
    """
    recordings = {one.digest: Recording(one.digest, one.size_bytes, _state(directory, one)) for one in wanted}
    logs: list[str] = []
    odd: list[Odd] = []
    root_files = 0
    for count, entry in enumerate(_walk(directory)):
        if count >= ENTRIES_MAX:
            odd.append(Odd(f"{ENTRIES_MAX}", Stray.TOO_MANY))
            break
        why = _why_odd(entry)
        if why is not None:
            odd.append(Odd(entry.name, why))
        elif entry.belongs_to(LOGS):
            logs.append(entry.name)
        elif entry.belongs_to(ROOT):
            root_files += 1
        elif entry.belongs_to(MEDIA) and entry.leaf not in recordings:
            recordings[entry.leaf] = Recording(entry.leaf, entry.size_bytes, State.NOT_NAMED)
    return Listing(tuple(recordings.values()), tuple(sorted(logs)), root_files, tuple(odd))


def _state(directory: Path, media: MediaRef) -> State:
    try:
        found = digest_of(directory / MEDIA / media.digest, size_bytes=media.size_bytes)
    except FileNotFoundError:
        return State.MISSING
    except OSError:
        return State.DAMAGED
    return State.PRESENT if found == media.digest else State.DAMAGED


@dataclass(frozen=True, slots=True)
class _Entry:
    """Anything but a directory, by its path from the stick's top."""

    path: Path
    name: str
    mode: int
    size_bytes: int

    @property
    def leaf(self) -> str:
        return self.path.name

    def belongs_to(self, folder: str) -> bool:
        return self.name.startswith(folder + "/")


def _walk(directory: Path) -> Iterator[_Entry]:
    waiting: list[tuple[Path, str, int]] = [(directory, "", 0)]
    while waiting:
        folder, above, depth = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                name = above + entry.name
                if not stat.S_ISDIR(status.st_mode):
                    yield _Entry(Path(entry.path), name, status.st_mode, status.st_size)
                elif depth < _DEPTH_MAX and name not in _OF_SYSTEMS:
                    waiting.append((Path(entry.path), f"{name}/", depth + 1))


def _why_odd(entry: _Entry) -> Stray | None:
    """None for what belongs on a stick."""
    if stat.S_ISLNK(entry.mode):
        return Stray.LINK
    if not stat.S_ISREG(entry.mode):
        return Stray.DEVICE
    if entry.name == BUNDLE or _belongs(entry):
        return None
    if _starts(entry):
        return Stray.EXECUTABLE
    return Stray.TEMPORARY if entry.leaf.startswith(".") else Stray.OTHER


def _belongs(entry: _Entry) -> bool:
    parts = entry.name.split("/")
    by_folder: Mapping[str, bool] = {
        MEDIA: len(parts) == 2 and _DIGEST.fullmatch(parts[-1]) is not None,
        LOGS: len(parts) == 2 and entry.name.endswith(SEALED_SUFFIX),
        ROOT: len(parts) > 1,
    }
    return by_folder.get(parts[0], False)


def _starts(entry: _Entry) -> bool:
    """By its name or its first bytes: on most sticks every file has the permission to be executed."""
    if _STARTS_ITSELF.fullmatch(entry.leaf):
        return True
    try:
        return read_some(entry.path, 4).startswith(_MAGIC)
    except OSError:
        return False
