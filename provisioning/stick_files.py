"""Reading and writing a stick that may hold anything: bounded, no links followed, only ordinary files opened."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _

_CHUNK_BYTES: Final = 1024 * 1024


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """An ordinary file that does not lie behind a link, neither itself nor its directory.

    Raises:
        OSError: it is none, or cannot be read.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        # A pipe must not make us wait, so it is opened without blocking before its kind is known.
        handle = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(f"{path.name} is not an ordinary file")
        yield file


def read_some(path: Path, bytes_max: int) -> bytes:
    """The file's first bytes; one more than allowed tells that it is too large."""
    with opened(path) as file:
        return file.read(bytes_max + 1)


def digest_of(path: Path, *, size_bytes: int) -> str | None:
    """SHA-256 of a file that has this size; None when it has another one."""
    with opened(path) as file:
        if os.fstat(file.fileno()).st_size != size_bytes:
            return None
        made, left = hashlib.sha256(), size_bytes
        while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
            made.update(chunk)
            left -= len(chunk)
    return made.hexdigest()


def make_directory(path: Path) -> None:
    """A directory that is really there, and no link to somewhere else.

    Raises:
        ProvisioningError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if stat.S_ISDIR(path.lstat().st_mode):
            return
        why = _("a link stands there instead of a directory")
    except OSError as error:
        why = error.strerror or str(error)
    raise _unwritable(path, why)


def write_whole(path: Path, chunks: Iterable[bytes]) -> None:
    """Replaces a file as a whole, durably; a stick pulled out holds the old one or the new one.

    Raises:
        ProvisioningError: it cannot be written.
    """
    make_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        # The mode is for those sticks that know one: another user of another machine reads them.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(handle, "wb") as file:
            file.writelines(chunks)
            file.flush()
            os.fsync(handle)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _unwritable(path, error.strerror or str(error)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # some filesystems of sticks cannot sync a directory
        _sync(path.parent)


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(path: Path, why: str) -> ProvisioningError:
    words = _("%(path)s cannot be written: %(why)s")
    return ProvisioningError(words % {"path": path, "why": why})


def chunks_of(path: Path) -> Iterator[bytes]:
    """A file's bytes, some at a time."""
    with opened(path) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk


def free_bytes(path: Path) -> int:
    """Room where this path is, or will be."""
    there = next((one for one in (path, *path.parents) if one.exists()), Path())
    status = os.statvfs(there)
    return status.f_bavail * status.f_frsize
