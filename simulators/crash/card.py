"""What is done to the files of a directory, in order, and which files a card holds when only some of it reached it.

A program tells its system to write, to sync, to rename; what has really reached the card when the power goes is
another matter. Only what was synced is certain. Names are their directory's business: a new name, a new place and a
removal are certain when the directory was synced. That is less than ext4 gives, and all that POSIX promises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

SECTOR_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes within a file, which is known by a number: its name may change."""

    file: int
    at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Sized:
    """A file cut off or lengthened with zeros."""

    file: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Synced:
    """What was written to a file so far is on the card; so the card says."""

    file: int


@dataclass(frozen=True, slots=True)
class Made:
    """A file has a name for the first time."""

    file: int
    name: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A name became another, whose former file is gone."""

    name: str
    to: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A name is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class DirectoryMade:
    """A directory is there."""

    name: str


@dataclass(frozen=True, slots=True)
class DirectorySynced:
    """The names within a directory are on the card; `.` is the top. So the card says."""

    name: str


@dataclass(frozen=True, slots=True)
class Told:
    """The program was told that everything up to its step `number` is safe."""

    number: int


Data = Written | Sized
Naming = Made | Moved | Removed | DirectoryMade
Deed = Data | Naming | Synced | DirectorySynced | Told


@dataclass(slots=True)
class Tree:
    """Files by name, as a card holds them."""

    names: dict[str, int] = field(default_factory=dict)
    contents: dict[int, bytearray] = field(default_factory=dict)
    directories: set[str] = field(default_factory=lambda: {"."})

    def apply(self, deed: Data | Naming) -> None:
        """Does one thing to it; what makes no sense any more, such as moving a name that never came, does nothing."""
        match deed:
            case Written(file, at, data):
                content = self.contents.setdefault(file, bytearray())
                content.extend(bytes(max(0, at - len(content))))
                content[at : at + len(data)] = data
            case Sized(file, size):
                content = self.contents.setdefault(file, bytearray())
                del content[size:]
                content.extend(bytes(size - len(content)))
            case Made(file, name):
                self.names[name] = file
            case Moved(name, to) if name in self.names:
                self.names[to] = self.names.pop(name)
            case Removed(name):
                self.names.pop(name, None)
            case DirectoryMade(name):
                self.directories.add(name)

    def files(self) -> dict[str, bytes]:
        """Contents by name; what lies in a directory that never came is lost with it."""
        there = {name: file for name, file in self.names.items() if parent(name) in self.directories}
        return {name: bytes(self.contents.get(file, b"")) for name, file in sorted(there.items())}

    def lay_out(self, at: Path) -> None:
        """Writes it into an empty directory."""
        for name in sorted(self.directories):
            (at / name).mkdir(exist_ok=True)
        for name, content in self.files().items():
            (at / name).write_bytes(content)


def parent(name: str) -> str:
    """The directory of a name."""
    return str(PurePosixPath(name).parent)


def place_of(deed: Naming) -> str:
    """The directory whose sync makes this certain."""
    return parent(deed.to if isinstance(deed, Moved) else deed.name)


def certain(deeds: Sequence[Deed], *, believed: int) -> frozenset[int]:
    """Indices of what the syncs among the first `believed` deeds have brought to the card."""
    found = set()
    files: set[int] = set()
    places: set[str] = set()
    for index in range(len(deeds) - 1, -1, -1):
        match deeds[index]:
            case Synced(file) if index < believed:
                files.add(file)
            case DirectorySynced(name) if index < believed:
                places.add(name)
            case Written() | Sized() as data if data.file in files:
                found.add(index)
            case Made() | Moved() | Removed() | DirectoryMade() as naming if place_of(naming) in places:
                found.add(index)
    return frozenset(found)


def pieces(deed: Data, *, sector_bytes: int = SECTOR_BYTES) -> tuple[Data, ...]:
    """What a card writes in one act each: a sector is old or new, never a mixture."""
    if isinstance(deed, Sized):
        return (deed,)
    return tuple(_sectors(deed, sector_bytes))


def _sectors(deed: Written, sector_bytes: int) -> Iterator[Written]:
    at, end = deed.at, deed.at + len(deed.data)
    while at < end:
        stop = min(end, (at // sector_bytes + 1) * sector_bytes)
        yield Written(deed.file, at, deed.data[at - deed.at : stop - deed.at])
        at = stop
