"""Files that survive a power cut: temporary file, fsync, rename, fsync of the directory."""

from __future__ import annotations

import os
from pathlib import Path


def write_durably(path: Path, data: bytes) -> None:
    """Replaces a file as a whole; a reader sees the old or the new one.

    What a power cut leaves half written has a name that the next try takes again, so nothing piles up.
    """
    fresh = path.with_name(f".new-{path.name}")
    fresh.unlink(missing_ok=True)  # whatever it is, it is not written through
    try:
        number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(number)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def move_durably(source: Path, path: Path) -> None:
    """Gives a finished file its name; both lie on one file system."""
    with source.open("rb") as file:
        os.fsync(file.fileno())
    source.replace(path)
    _sync(path.parent)


def make_directory(directory: Path) -> None:
    """Makes a directory, and those above it that are missing, so that none is lost with what is put into it."""
    if not directory.is_dir():
        make_directory(directory.parent)
        directory.mkdir(exist_ok=True)
        _sync(directory.parent)


def _sync(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
