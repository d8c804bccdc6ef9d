"""Writes down what a program does to the files of one directory, while it does it.

The stores write through `pathlib`, `os` and `io`, and through SQLite. For the first three, the calls themselves are
watched while a block runs, so that mirror, media, journal and the root's files run as they are; SQLite's own calls
are seen by `sqlite_vfs`. Watching system calls from outside (ptrace, a preloaded library) would see both at once, but
needs a compiler or rights that a test machine may not have, and could not tell where a step of the story ends.
"""

from __future__ import annotations

import builtins
import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from simulators.crash.card import (
    Deed,
    DirectoryMade,
    DirectorySynced,
    Made,
    Moved,
    Removed,
    Sized,
    Synced,
    Told,
    Written,
    parent,
)

_open, _os_open = io.open, os.open
_replace, _unlink, _mkdir = os.replace, os.unlink, os.mkdir
_fsync, _truncate, _fallocate = os.fsync, os.truncate, os.posix_fallocate
Name = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class Recorder:
    """The record of `root`; attributes: deeds: all so far."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.deeds: list[Deed] = []
        self._files: dict[str, int] = {}
        self._count = 0

    def begin_with(self, files: Mapping[str, bytes]) -> None:
        """Lays out what was there before, as certain."""
        for name, content in files.items():
            place = parent(name)
            if place != "." and not (self.root / place).exists():
                _mkdir(self.root / place)
                self.made_directory(place)
            with _open(self.root / name, "wb") as file:
                file.write(content)
            self.made(name)
            self.wrote(name, 0, content)
            self.synced(name)
            self.synced(place)
        self.synced(".")

    def tell(self, number: int) -> None:
        """The program was told that its step is safe."""
        self.deeds.append(Told(number))

    def name_of(self, path: Name) -> str | None:
        """How a path is called here; None when it lies elsewhere."""
        full = Path(os.fsdecode(path)).absolute()
        return str(full.relative_to(self.root)) if full.is_relative_to(self.root) else None

    def open_name(self, number: int) -> str | None:
        """The same for a file that is open; None also when its name is gone."""
        path = str(Path(f"/proc/self/fd/{number}").readlink())
        return self.name_of(path) if path.startswith("/") and not path.endswith(" (deleted)") else None

    def made(self, name: str) -> None:
        """A name that may be new."""
        if name not in self._files:
            self._count += 1
            self._files[name] = self._count
            self.deeds.append(Made(self._count, name))

    def wrote(self, name: str, at: int, data: bytes) -> None:
        """Bytes within a file."""
        self.deeds.append(Written(self._files[name], at, data))

    def sized(self, name: str, size_bytes: int) -> None:
        """A file has another size."""
        self.deeds.append(Sized(self._files[name], size_bytes))

    def synced(self, name: str) -> None:
        """A file or a directory."""
        file = self._files.get(name)
        self.deeds.append(DirectorySynced(name) if file is None else Synced(file))

    def moved(self, name: str, to: str) -> None:
        """A name became another."""
        self._files[to] = self._files.pop(name)
        self.deeds.append(Moved(name, to))

    def removed(self, name: str) -> None:
        """A name is gone."""
        if self._files.pop(name, None) is not None:
            self.deeds.append(Removed(name))

    def made_directory(self, name: str) -> None:
        """A directory is there."""
        self.deeds.append(DirectoryMade(name))


class _RecordedFile(io.FileIO):
    """A file that tells what is written to it; what the system copies from file to file (sendfile) goes unseen."""

    def __init__(self, file: Any, mode: str, recorder: Recorder) -> None:
        super().__init__(file, mode)
        self._recorder = recorder

    def write(self, data: Any, /) -> int:
        at = os.fstat(self.fileno()).st_size if "a" in self.mode else self.tell()
        count = super().write(data)
        name = self._recorder.open_name(self.fileno())
        if name is not None:
            self._recorder.wrote(name, at, bytes(memoryview(data).cast("B")[:count]))
        return count


@contextmanager
def recording(root: Path) -> Iterator[Recorder]:
    """Watches the directory until the block ends; it exists and is empty."""
    recorder = Recorder(root)
    watched = _Watched(recorder)
    with ExitStack() as stack:
        for module, name, function in (
            (io, "open", watched.open),
            (builtins, "open", watched.open),
            (os, "open", watched.os_open),
            (os, "replace", watched.replace),
            (os, "rename", watched.replace),
            (os, "unlink", watched.unlink),
            (os, "remove", watched.unlink),
            (os, "mkdir", watched.mkdir),
            (os, "fsync", watched.fsync),
            (os, "fdatasync", watched.fsync),
            (os, "truncate", watched.truncate),
            (os, "posix_fallocate", watched.fallocate),
        ):
            stack.enter_context(_instead(module, name, function))
        yield recorder


@contextmanager
def _instead(module: Any, name: str, function: Callable[..., Any]) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, function)
    try:
        yield
    finally:
        setattr(module, name, before)


class _Watched:
    """The calls, each of which does its work and then writes it down."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def open(self, file: Any, mode: str = "r", buffering: int = -1, *words: Any, **named: Any) -> Any:
        if not set(mode) & set("wax+"):
            return _open(file, mode, buffering, *words, **named)
        name = self._recorder.open_name(file) if isinstance(file, int) else self._recorder.name_of(file)
        if name is None:
            return _open(file, mode, buffering, *words, **named)
        there = isinstance(file, int) or Path(file).exists()
        raw = _RecordedFile(file, mode.replace("b", "").replace("t", ""), self._recorder)
        self._recorder.made(name)
        if there and "w" in mode:
            self._recorder.sized(name, 0)
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, *words, **named)

    def os_open(self, path: Name, flags: int, *words: Any, **named: Any) -> int:
        number = _os_open(path, flags, *words, **named)
        name = self._recorder.name_of(path)
        if name is not None and flags & os.O_CREAT:
            self._recorder.made(name)
        return number

    def replace(self, source: Name, target: Name, **named: Any) -> None:
        _replace(source, target, **named)
        name, to = self._recorder.name_of(source), self._recorder.name_of(target)
        if name is not None and to is not None:
            self._recorder.moved(name, to)

    def unlink(self, path: Name, **named: Any) -> None:
        _unlink(path, **named)
        name = self._recorder.name_of(path)
        if name is not None:
            self._recorder.removed(name)

    def mkdir(self, path: Name, *words: Any, **named: Any) -> None:
        _mkdir(path, *words, **named)
        name = self._recorder.name_of(path)
        if name is not None:
            self._recorder.made_directory(name)

    def fsync(self, number: int) -> None:
        _fsync(number)
        name = self._recorder.open_name(number)
        if name is not None:
            self._recorder.synced(name)

    def truncate(self, path: Name, size_bytes: int) -> None:
        _truncate(path, size_bytes)
        name = self._recorder.name_of(path)
        if name is not None:
            self._recorder.sized(name, size_bytes)

    def fallocate(self, number: int, at: int, length: int) -> None:
        _fallocate(number, at, length)
        name = self._recorder.open_name(number)
        if name is not None:
            self._recorder.sized(name, at + length)
