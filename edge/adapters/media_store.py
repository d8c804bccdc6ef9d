"""Programmes on disk by digest: what has its final name was whole, had its digest, and was durable.

The name holds digest and size, so a start looks at names and sizes only and takes milliseconds with a full card.
Damage that comes later (bits rot on SD cards) is found by `check`, which reads everything once in the background
after each start: reading 64 MB before a slot would make it late, and the player notices a broken file anyway.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
from collections.abc import AsyncIterator, Callable
from io import FileIO
from pathlib import Path
from typing import Final

from edge.adapters.files import free_bytes, port_errors, sync_directory
from edge.core.events import Event, MediaLost
from edge.ports import FetchError, MediaSink, PortError, StorageFullError
from protocol.bulletin import MediaRef

RESERVE_BYTES: Final = 64 * 1024 * 1024
_WHOLE: Final = re.compile(r"([0-9a-f]{64})\.([0-9]{1,12})")
_PART: Final = re.compile(r"([0-9a-f]{64})\.part")
_CHUNK_BYTES: Final = 256 * 1024
_CHECK_PAUSE_S: Final = 0.05
_log = logging.getLogger(__name__)


class DiskMediaStore:
    """A directory of programmes.

    Args:
        reserve_bytes: room that media never use, so state can always be written.
        free: how much room the disk has.
    """

    def __init__(
        self,
        directory: Path,
        *,
        reserve_bytes: int = RESERVE_BYTES,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._directory, self._reserve_bytes, self._free = directory, reserve_bytes, free
        self._open: set[str] = set()
        with port_errors(f"the media directory {directory} cannot be used"):
            directory.mkdir(parents=True, exist_ok=True)
            self._whole = self._survey()

    def _survey(self) -> dict[str, Path]:
        whole = {}
        for path in self._directory.iterdir():
            if path.is_dir():
                continue  # not ours: a card of its own has lost+found
            match = _WHOLE.fullmatch(path.name)
            if match and path.stat().st_size == int(match[2]):
                whole[match[1]] = path
            elif not _PART.fullmatch(path.name):
                _log.warning("%s is not a medium, or not whole; it is removed", path.name)
                path.unlink()
        return whole

    def digests(self) -> frozenset[str]:
        """All that is stored."""
        return frozenset(self._whole)

    def free_bytes(self) -> int:
        """Room for more media."""
        return max(0, self._free(self._directory) - self._reserve_bytes)

    def path(self, digest: str) -> Path | None:
        """The file, if it is stored."""
        path = self._whole.get(digest)
        return path if path is not None and path.exists() else None

    def sink(self, media: MediaRef) -> MediaSink:
        """A place for a download; continues what is there."""
        if media.digest in self._open:
            raise PortError("this medium is being brought in already")
        part = self._directory / f"{media.digest}.part"
        with port_errors("a download cannot be stored"):
            there = part.stat().st_size if part.exists() else 0
            if there > media.size_bytes:
                part.unlink()
                there = 0
            if media.size_bytes - there > self.free_bytes():
                self._drop_other_parts(part)
            if media.size_bytes - there > self.free_bytes():
                raise StorageFullError(f"no room for {media.size_bytes - there} bytes more")
            sink = _Sink(media, part, stored=self._stored, closed=self._open.discard)
        self._open.add(media.digest)
        return sink

    def _stored(self, digest: str, path: Path) -> None:
        self._whole[digest] = path

    def delete(self, digest: str) -> None:
        """Forgets a medium, also a half one."""
        path = self._whole.pop(digest, None)
        with port_errors("a medium cannot be deleted"):
            for one in (path, self._directory / f"{digest}.part"):
                if one is not None:
                    one.unlink(missing_ok=True)
            sync_directory(self._directory)

    def _drop_other_parts(self, needed: Path) -> None:
        """Halves that nobody brings in now give way: most were left by a document that is gone."""
        for path in self._directory.glob("*.part"):
            if path != needed and path.name.removesuffix(".part") not in self._open:
                path.unlink(missing_ok=True)

    async def check(self) -> AsyncIterator[Event]:
        """Reads everything once, slowly; a medium that is damaged or gone is removed and told."""
        for digest, path in list(self._whole.items()):
            if await self._is_sound(digest, path) or digest not in self._whole:
                continue
            _log.warning("medium %s is damaged or gone", digest[:12])
            await asyncio.to_thread(self.delete, digest)
            yield MediaLost(digest)

    async def _is_sound(self, digest: str, path: Path) -> bool:
        found = hashlib.sha256()
        offset = 0
        while True:
            try:
                chunk = await asyncio.to_thread(_read_at, path, offset)
            except OSError:
                return False
            if not chunk:
                return found.hexdigest() == digest
            await asyncio.to_thread(found.update, chunk)
            offset += len(chunk)
            await asyncio.sleep(_CHECK_PAUSE_S)


def _read_at(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(_CHUNK_BYTES)


def _write_all(file: FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


class _Sink:
    """One download. Bytes are hashed as they come; those of a former try are hashed before the first new ones."""

    def __init__(
        self,
        media: MediaRef,
        part: Path,
        *,
        stored: Callable[[str, Path], None],
        closed: Callable[[str], None],
    ) -> None:
        self._media, self._part = media, part
        self._stored, self._closed = stored, closed
        self._file: FileIO | None = part.open("ab", buffering=0)
        self._offset_bytes = self._file.tell()
        self._hash = None if self._offset_bytes else hashlib.sha256()

    @property
    def offset_bytes(self) -> int:
        """How many bytes are there."""
        return self._offset_bytes

    async def write(self, data: bytes) -> None:
        """Appends."""
        await asyncio.to_thread(self._append, data)

    async def finish(self) -> None:
        """Proves the medium and gives it its final name."""
        if self._offset_bytes != self._media.size_bytes:
            raise FetchError(f"{self._offset_bytes} of {self._media.size_bytes} bytes")
        path = await asyncio.to_thread(self._seal)
        self._stored(self._media.digest, path)

    async def close(self) -> None:
        """Lets go; what is unfinished stays."""
        file, self._file = self._file, None
        if file is not None:
            self._closed(self._media.digest)
            with port_errors("a download cannot be stored"):
                await asyncio.to_thread(file.close)

    def _append(self, data: bytes) -> None:
        assert self._file is not None, "a closed sink takes nothing"
        self._catch_up().update(data)
        with port_errors("a download cannot be stored"):
            try:
                _write_all(self._file, data)
            except OSError:
                self._cut_back()
                raise
        self._offset_bytes += len(data)

    def _cut_back(self) -> None:
        """After a full disk the hash knows more than the file: the next try reads the file anew."""
        self._hash = None
        os.truncate(self._part, self._offset_bytes)

    def _catch_up(self) -> hashlib._Hash:
        if self._hash is None:
            self._hash = hashlib.sha256()
            with self._part.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    self._hash.update(chunk)
        return self._hash

    def _seal(self) -> Path:
        assert self._file is not None, "a closed sink cannot be finished"
        with port_errors("a download cannot be finished"):
            if self._catch_up().hexdigest() != self._media.digest:
                self._part.unlink(missing_ok=True)
                raise FetchError("the bytes are not the ones that were ordered", damaged=True)
            os.fsync(self._file.fileno())
            path = self._part.with_name(f"{self._media.digest}.{self._media.size_bytes}")
            self._part.replace(path)
            sync_directory(path.parent)
            return path
