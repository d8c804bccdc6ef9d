"""Writing files so that a power cut leaves the old one or the new one, never a torn one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from edge.ports import PortError, StorageFullError

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def port_errors(what: str) -> Iterator[None]:
    """Turns an OSError into the port's errors; a full disk has its own."""
    try:
        yield
    except OSError as error:
        kind = StorageFullError if error.errno in _FULL else PortError
        raise kind(f"{what}: {error.strerror or error}") from error


def sync_directory(directory: Path) -> None:
    """Makes renames and removals within durable."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, data: bytes) -> None:
    """Temporary file, fsync, rename, fsync of the directory."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def free_bytes(directory: Path) -> int:
    """Room that an ordinary user may fill."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize
