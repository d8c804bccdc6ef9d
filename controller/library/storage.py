"""Sound on disk by its digest: `<data>/media/<first two digits>/<digest>.opus`.

What lies there is whole: bytes are written elsewhere, made durable, and renamed. What was being written when the
controller died lies in `incoming` and is removed at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

from protocol.bulletin import check_digest

RESERVE_BYTES: Final = 128 * 1024 * 1024
"""Room that media never takes, so that the database can always be written."""

_BLOCK_BYTES: Final = 1024 * 1024


class DigestStorage:
    """`controller.ports.MediaStorage` on one directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def clean(self) -> int:
        """Removes what was half written when the controller stopped; gives how many files."""
        left = list(self._incoming.iterdir())
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def path(self, digest: str) -> Path:
        """Where the bytes lie, or would lie. Raises ValueError for what is not a digest."""
        check_digest(digest)
        return self._folder / digest[:2] / f"{digest}.opus"

    def holds(self, digest: str) -> bool:
        """Whether the bytes are there, whole."""
        return self.path(digest).is_file()

    def free_bytes(self) -> int:
        """Space that is left for media."""
        return max(shutil.disk_usage(self._folder).free - RESERVE_BYTES, 0)

    @contextlib.contextmanager
    def draft(self, suffix: str) -> Iterator[Path]:
        """A place for something that is being made; whatever is there at the end is removed."""
        path = self._incoming / f"{secrets.token_hex(12)}.{suffix}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    async def keep(self, chunks: AsyncIterator[bytes]) -> tuple[str, int]:
        """Stores bytes durably; gives their digest and size. Raises OSError when the disk is full."""
        with self.draft("part") as path:
            with path.open("wb") as file:
                async for chunk in chunks:
                    file.write(chunk)
            size_bytes = path.stat().st_size
            return await self.adopt(path), size_bytes

    async def adopt(self, path: Path) -> str:
        """Makes a finished draft durable under its digest, in one act; gives the digest."""
        return await asyncio.to_thread(self._adopt, path)

    def _adopt(self, path: Path) -> str:
        digest = _durable_digest(path)
        target = self.path(digest)
        target.parent.mkdir(exist_ok=True)
        path.replace(target)
        _sync_folder(target.parent)
        _sync_folder(self._folder)
        return digest


def _durable_digest(path: Path) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            hashed.update(block)
        os.fsync(file.fileno())
    return hashed.hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
