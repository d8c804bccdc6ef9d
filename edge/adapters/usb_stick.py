"""A USB stick as a second link: it brings a parcel and media, through the same verifier, and is never executed.

The stick is read from a directory where the operating system mounts it. Only ordinary files with expected names are
opened, no directory is listed, no links are followed, and of the media only those are taken that a signed document
asks for: a stick cannot fill the disk. A stick that hangs costs a thread that waits, and nothing else.

What lies where is in protocol/stick.py.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from edge.adapters.slow_lane import PATIENCE_S, SlowLane
from edge.core.events import Event, ParcelReceived, Route
from edge.ports import Fetcher, FetchError, MediaSink
from protocol.bulletin import MediaRef
from protocol.limits import PARCEL_BYTES_MAX
from protocol.stick import BUNDLE, LOGS, MEDIA, STICK_BYTES_MAX

_PERIOD_S: Final = 2.0
_CHUNK_BYTES: Final = 256 * 1024
_SLOWEST_BYTES_PER_S: Final = 128 * 1024
_LOGS_PATIENCE_S: Final = 180.0
_log = logging.getLogger(__name__)

Mark = tuple[int, ...]


class CarriesOut(Protocol):
    """Writes something onto a stick that asks for it."""

    async def prepare(self) -> None:
        """Brings up to date what will be written."""
        ...

    def write(self, stick: Path) -> None:
        """Blocks; raises OSError when the stick does not take it."""
        ...


@dataclass(frozen=True, slots=True)
class _Found:
    """What is in the slot; the bundle's bytes only when it is another one than before."""

    bundle: Mark | None = None
    data: bytes = b""
    logs: Mark | None = None


class UsbStick:
    """Whatever is mounted at `directory`.

    Args:
        patience_s: how long one look, or one read, may take.
        bytes_max: no more media are taken from one stick.
        logs: what is written onto a stick with a directory for logs, once for each time it is put in.
    """

    def __init__(
        self,
        directory: Path,
        *,
        period_s: float = _PERIOD_S,
        patience_s: float = PATIENCE_S,
        bytes_max: int = STICK_BYTES_MAX,
        logs: CarriesOut | None = None,
    ) -> None:
        self._directory, self._period_s, self._logs = directory, period_s, logs
        self._eyes, self._hands = (SlowLane(name, patience_s=patience_s) for name in ("stick", "stick media"))
        self._patience_s = patience_s
        self._bytes_max = self._bytes_left = bytes_max
        self._spoilt: set[str] = set()
        self._silent = False

    async def events(self) -> AsyncIterator[Event]:
        """The parcel of every stick that is put in; the same stick put in again is read again."""
        seen = _Found()
        while True:
            found = await self._look(seen)
            if found.bundle and found.bundle != seen.bundle:
                _log.info("a stick with a bundle of %d bytes was put in", len(found.data))
                self._spoilt.clear()
                self._bytes_left = self._bytes_max
                yield ParcelReceived(found.data, Route.USB)
            # After the bundle, so what became of it goes out with the logs.
            if found.logs and found.logs != seen.logs and self._logs:
                await self._carry_out(self._logs)
            seen = found
            await asyncio.sleep(self._period_s)

    async def _look(self, seen: _Found) -> _Found:
        try:
            found = await self._eyes.run(lambda: _what_is_there(self._directory, seen.bundle))
        except TimeoutError:
            _log.log(logging.DEBUG if self._silent else logging.WARNING, "the stick does not answer")
            self._silent = True
            return seen
        self._silent = False
        return found

    async def _carry_out(self, logs: CarriesOut) -> None:
        await logs.prepare()
        try:
            await self._eyes.run(lambda: logs.write(self._directory), patience_s=_LOGS_PATIENCE_S)
        except OSError as error:
            _log.warning("the logs were not written to the stick: %s", error.strerror or error)

    async def copy(self, media: MediaRef, sink: MediaSink) -> bool:
        """Takes a medium from the stick; False when it is not there, has another size, or was spoilt before.

        Raises:
            FetchError: the stick went away or is too slow, or its bytes are not the ones that were ordered.
        """
        if media.digest in self._spoilt or self._hands.hangs or media.size_bytes > self._bytes_left:
            return False
        try:
            async with asyncio.timeout(self._patience_s + media.size_bytes / _SLOWEST_BYTES_PER_S):
                return await self._copy(media, sink)
        except FetchError:
            self._spoilt.add(media.digest)
            raise
        except TimeoutError as error:
            self._spoilt.add(media.digest)
            raise FetchError("the stick is too slow") from error

    async def _copy(self, media: MediaRef, sink: MediaSink) -> bool:
        begun = False
        while sink.offset_bytes < media.size_bytes or not begun:
            offset = sink.offset_bytes
            try:
                chunk = await self._hands.run(lambda at=offset: _read(self._directory, media, at))  # type: ignore[misc]
            except OSError as error:
                if not begun:
                    return False
                raise FetchError(f"the stick cannot be read: {error.strerror or 'it does not answer'}") from error
            begun = True
            self._bytes_left -= len(chunk)
            await sink.write(chunk)
        await sink.finish()
        return True


def _what_is_there(directory: Path, seen: Mark | None) -> _Found:
    # First the logs: a stick that appears between two looks must not be written to before its bundle was taken.
    logs, mark, data = _directory_mark(directory / LOGS), None, b""
    with suppress(OSError):
        handle = _open_ordinary(directory, BUNDLE)
        try:
            status = os.fstat(handle)
            mark = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            # One byte more than allowed is enough for the core to refuse it by name.
            data = b"" if mark == seen else _read_whole(handle, PARCEL_BYTES_MAX + 1)
        finally:
            os.close(handle)
    return _Found(mark, data, logs)


def _directory_mark(path: Path) -> Mark | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _read_whole(handle: int, bytes_max: int) -> bytes:
    made = bytearray()
    while chunk := os.read(handle, min(_CHUNK_BYTES, bytes_max - len(made))):
        made += chunk
    return bytes(made)


def _read(directory: Path, media: MediaRef, offset: int) -> bytes:
    """Some of a medium's bytes; the file is opened for each portion, so a hanging one holds nothing back."""
    handle = _open_ordinary(directory / MEDIA, media.digest)
    try:
        if os.fstat(handle).st_size != media.size_bytes:
            raise FileNotFoundError("it has another size")
        chunk = os.pread(handle, min(_CHUNK_BYTES, media.size_bytes - offset), offset)
    finally:
        os.close(handle)
    if not chunk and offset < media.size_bytes:
        raise FileNotFoundError("it ends too early")
    return chunk


def _open_ordinary(directory: Path, name: str) -> int:
    """Opens a regular file, following no link, neither for the file nor for its directory."""
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # A pipe must not make us wait, so it is opened without blocking before its kind is known.
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise FileNotFoundError(f"{name} is not an ordinary file")


class StickFirstFetcher:
    """Implements Fetcher: media come from the stick when it has them, all else from the network.

    A medium that the stick could not give whole is not asked of it again: the network must not wait behind it.
    """

    def __init__(self, stick: UsbStick, network: Fetcher) -> None:
        self._stick, self._network = stick, network
        self.attest = network.attest
        self.parcels = network.parcels
        self.relocate = network.relocate

    async def fetch(self, media: MediaRef, sink: MediaSink) -> None:
        """From the stick, else from the controller."""
        if not await self._stick.copy(media, sink):
            await self._network.fetch(media, sink)
