"""Recorded sound, fetched from the controller and checked by size and digest before anyone hears it here."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Final

import aiohttp

from protocol.bulletin import MediaRef, check_digest
from signer.media_folder import digest_of, find_recording

_logger = logging.getLogger(__name__)
SHELF_BYTES_MAX: Final = 1024 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_AT_ONCE: Final = 2
_TIMEOUT: Final = aiohttp.ClientTimeout(total=120, sock_connect=5, sock_read=20)


class MediaState(StrEnum):
    """How far a recording is."""

    FETCHING = "fetching"
    CHECKED = "checked"
    MISSING = "missing"
    WRONG = "wrong"


class Shelf:
    """Checked recordings, each in a file named after its digest."""

    def __init__(self, directory: Path, *, controller: str, session: aiohttp.ClientSession) -> None:
        self._directory = directory
        self._controller = controller.rstrip("/")
        self._session = session
        self._failed: dict[MediaRef, MediaState] = {}
        self._tasks: dict[MediaRef, asyncio.Task[None]] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)

    def path(self, digest: str) -> Path:
        """Where a recording lies; raises ValueError unless it is a digest."""
        check_digest(digest)
        return self._directory / digest

    def state(self, media: MediaRef) -> MediaState:
        """How far a recording is; a wrong size is wrong, whatever the digest says."""
        if media in self._tasks:
            return MediaState.FETCHING
        path = self.path(media.digest)
        if path.exists():
            return MediaState.CHECKED if path.stat().st_size == media.size_bytes else MediaState.WRONG
        return self._failed.get(media, MediaState.MISSING)

    async def want(self, wanted: Iterable[MediaRef], *, wait_s: float) -> None:
        """Begins to fetch what is not there, and waits a moment for it."""
        for media in wanted:
            if self.state(media) is MediaState.MISSING:
                self._tasks[media] = asyncio.create_task(self._fetch(media))
        if tasks := [*self._tasks.values()]:
            await asyncio.wait(tasks, timeout=wait_s)

    async def take_from(self, folder: Path, wanted: Iterable[MediaRef]) -> int:
        """Takes what is missing from a folder; gives how many were found, by digest."""
        found = 0
        for media in wanted:
            if self.state(media) is not MediaState.CHECKED:
                found += await asyncio.to_thread(self._take_from, folder, media)
        return found

    def _take_from(self, folder: Path, media: MediaRef) -> bool:
        path = find_recording(folder, media)
        if path is None:
            return False
        self._directory.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=self._directory, prefix=".part-")
        part = Path(name)
        try:
            os.close(number)
            shutil.copyfile(path, part)
            if digest_of(part) != media.digest:
                return False
            self._settle(part, media)
            self._failed.pop(media, None)
        except OSError as error:
            _logger.warning("a recording could not be copied from %s: %s", folder, error)
            return False
        finally:
            part.unlink(missing_ok=True)
        return True

    async def close(self) -> None:
        """Stops fetching."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, media: MediaRef) -> None:
        self._failed.pop(media, None)
        try:
            async with self._gate:
                await self._download(media)
        except _WrongContentError:
            self._failed[media] = MediaState.WRONG
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            _logger.warning("media %s was not fetched: %s", media.digest[:12], error)
        finally:
            del self._tasks[media]

    async def _download(self, media: MediaRef) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        address = f"{self._controller}/media/{media.digest}"
        number, name = tempfile.mkstemp(dir=self._directory, prefix=".part-")
        part = Path(name)
        try:
            with os.fdopen(number, "wb") as file:
                async with self._session.get(address, timeout=_TIMEOUT, allow_redirects=False) as answer:
                    answer.raise_for_status()
                    await _copy(answer, file.write, media)
            await asyncio.to_thread(self._settle, part, media)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    def _settle(self, part: Path, media: MediaRef) -> None:
        self._make_room(media.size_bytes)
        part.replace(self.path(media.digest))

    def _make_room(self, size_bytes: int) -> None:
        """The longest unused recordings give way; they can be fetched again."""
        files = sorted((one.stat().st_mtime_ns, one.stat().st_size, one) for one in self._directory.glob("[0-9a-f]*"))
        total = size_bytes + sum(size for _, size, _path in files)
        for _, size, path in files:
            if total <= SHELF_BYTES_MAX:
                return
            path.unlink(missing_ok=True)
            total -= size


class _WrongContentError(Exception):
    """The controller sent other bytes than the document names."""


async def _copy(answer: aiohttp.ClientResponse, write: Callable[[bytes], object], media: MediaRef) -> None:
    found, size_bytes = hashlib.sha256(), 0
    async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
        size_bytes += len(chunk)
        if size_bytes > media.size_bytes:
            raise _WrongContentError
        found.update(chunk)
        write(chunk)
    if size_bytes != media.size_bytes or found.hexdigest() != media.digest:
        raise _WrongContentError
