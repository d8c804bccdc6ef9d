"""A USB stick as a second link: it brings a parcel and media, through the same verifier, and is never executed.

The stick is read from a directory where the operating system mounts it. Only ordinary files with expected names are
opened, no links are followed, and of the media only those are taken that a signed document asks for: a stick cannot
fill the disk.

    loalang-bundle.json     a parcel (protocol/parcel.py)
    media/<digest>          programmes, named by their SHA-256
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from edge.core.events import Event, ParcelReceived, Route
from edge.ports import Fetcher, FetchError, MediaSink
from protocol.bulletin import MediaRef
from protocol.limits import PARCEL_BYTES_MAX

BUNDLE: Final = "loalang-bundle.json"
MEDIA: Final = "media"
_PERIOD_S: Final = 2.0
_CHUNK_BYTES: Final = 256 * 1024
_log = logging.getLogger(__name__)


class UsbStick:
    """Whatever is mounted at `directory`."""

    def __init__(self, directory: Path, *, period_s: float = _PERIOD_S) -> None:
        self._directory, self._period_s = directory, period_s

    async def events(self) -> AsyncIterator[Event]:
        """The parcel of every stick that is put in; the same stick put in again is read again."""
        seen: tuple[int, ...] | None = None
        while True:
            found = await asyncio.to_thread(self._look)
            mark = found[0] if found else None
            if found and mark != seen:
                _log.info("a stick with a bundle of %d bytes was put in", len(found[1]))
                yield ParcelReceived(found[1], Route.USB)
            seen = mark
            await asyncio.sleep(self._period_s)

    def _look(self) -> tuple[tuple[int, ...], bytes] | None:
        try:
            with _ordinary_file(self._directory, BUNDLE) as file:
                status = os.fstat(file.fileno())
                # One byte more than allowed is enough for the core to refuse it by name.
                data = file.read(PARCEL_BYTES_MAX + 1)
        except OSError:
            return None
        return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns), data

    async def copy(self, media: MediaRef, sink: MediaSink) -> bool:
        """Takes a medium from the stick; False when it is not there or has another size.

        Raises:
            FetchError: the stick went away, or its bytes are not the ones that were ordered.
        """
        with ExitStack() as stack:
            try:
                file = stack.enter_context(_ordinary_file(self._directory / MEDIA, media.digest))
            except OSError:
                return False
            if os.fstat(file.fileno()).st_size != media.size_bytes:
                return False
            try:
                file.seek(sink.offset_bytes)
                while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                    await sink.write(chunk)
            except OSError as error:
                raise FetchError(f"the stick cannot be read: {error.strerror}") from error
        await sink.finish()
        return True


@contextmanager
def _ordinary_file(directory: Path, name: str) -> Iterator[BinaryIO]:
    """Opens a regular file, following no link, neither for the file nor for its directory."""
    folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # A pipe must not make us wait, so it is opened without blocking before its kind is known.
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(f"{name} is not an ordinary file")
        yield file


class StickFirstFetcher:
    """Implements Fetcher: media come from the stick when it has them, all else from the network.

    A medium that the stick could not give whole is not asked of a stick again: the network must not wait behind it.
    """

    def __init__(self, stick: UsbStick, network: Fetcher) -> None:
        self._stick, self._network = stick, network
        self._spoilt: set[str] = set()
        self.attest = network.attest
        self.parcels = network.parcels

    async def fetch(self, media: MediaRef, sink: MediaSink) -> None:
        """From the stick, else from the controller."""
        if media.digest not in self._spoilt:
            try:
                if await self._stick.copy(media, sink):
                    return
            except FetchError:
                self._spoilt.add(media.digest)
                raise
        await self._network.fetch(media, sink)
