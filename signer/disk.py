"""Files that survive a power cut: temporary file, fsync, rename, fsync of the directory."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_durably(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replaces a file as a whole; a reader sees the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            os.fchmod(number, mode)
            file.write(data)
            file.flush()
            os.fsync(number)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def append_durably(path: Path, line: bytes) -> None:
    """Adds a line to a log that only grows; begins a new line if a power cut left half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(number).st_size
        torn = size > 0 and os.pread(number, 1, size - 1) != b"\n"
        os.write(number, (b"\n" if torn else b"") + line + b"\n")
        os.fsync(number)
    finally:
        os.close(number)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Makes a rename durable."""
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
