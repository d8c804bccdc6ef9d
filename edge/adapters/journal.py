"""What the core was told, in order, on disk: a fault in the field is replayed at a desk.

A ring of bounded files, written in batches. An SD card wears out by writing (10 GB of logs in six days killed a
neighbour's players), so a day has a budget; what does not fit is counted, never silently missing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge.adapters.event_codec import decode_line, encode_line
from edge.core.events import Event
from edge.disk import Disk
from protocol.clock import Now

FILES_MAX: Final = 4
FILE_BYTES_MAX: Final = 2 * 1024 * 1024
DAY_BYTES_MAX: Final = 12 * 1024 * 1024
_PENDING_BYTES_MAX: Final = 1024 * 1024
_FLUSH_S: Final = 10.0
_DAY_S: Final = 86_400.0
_log = logging.getLogger(__name__)


class Journal:
    """Implements the runner's Recorder; `run` writes in the background."""

    def __init__(
        self,
        directory: Path,
        *,
        disk: Disk,
        file_bytes_max: int = FILE_BYTES_MAX,
        day_bytes_max: int = DAY_BYTES_MAX,
    ) -> None:
        self._directory, self._disk = directory, disk
        self._file_bytes_max, self._day_bytes_max = file_bytes_max, day_bytes_max
        self._pending: list[bytes] = []
        self._pending_bytes = self._skipped = 0
        self._day_began_s = time.monotonic()
        self._day_bytes = 0
        self._failed = False

    def record(self, now: Now, event: Event) -> None:
        """Keeps a line for the next batch."""
        self._begin_day()
        line = encode_line(now, event)
        room = min(_PENDING_BYTES_MAX - self._pending_bytes, self._day_bytes_max - self._day_bytes)
        if len(line) > room:
            self._skipped += 1
            return
        if self._skipped:
            line = b'["skipped",%d]\n' % self._skipped + line
            self._skipped = 0
        self._pending.append(line)
        self._pending_bytes += len(line)
        self._day_bytes += len(line)

    def _begin_day(self) -> None:
        if time.monotonic() - self._day_began_s > _DAY_S:
            self._day_began_s, self._day_bytes = time.monotonic(), 0

    async def run(self) -> None:
        """Writes a batch now and then, and what is left at the end."""
        self._day_bytes += await self._disk.run(self._written_before)
        try:
            while True:
                await asyncio.sleep(_FLUSH_S)
                await self.flush()
        finally:
            self._write(self._taken())

    async def flush(self) -> None:
        """Writes what waits."""
        batch = self._taken()
        if batch:
            await self._disk.run(lambda: self._write(batch))

    def _taken(self) -> bytes:
        batch = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        return batch

    def _files(self) -> list[Path]:
        """Oldest first."""
        return sorted(self._directory.glob("journal-*.jsonl"))

    def _written_before(self) -> int:
        """An agent that starts again and again has one budget all the same: full files of the last day count."""
        since = time.time() - _DAY_S
        found = (path.stat() for path in self._files())
        return sum(status.st_size for status in found if status.st_mtime > since)

    def _write(self, batch: bytes) -> None:
        if not batch:
            return
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            path = self._file_for(len(batch))
            with path.open("ab") as file:
                # After a power cut the last line may be torn: the boot's first event must not become its end.
                file.write(b"\n" + batch if _ends_torn(path) else batch)
            self._failed = False
        except OSError as error:
            _log.log(logging.DEBUG if self._failed else logging.WARNING, "the journal cannot be written: %s", error)
            self._failed = True

    def _file_for(self, size: int) -> Path:
        files = self._files()
        if files and files[-1].stat().st_size + size <= self._file_bytes_max:
            return files[-1]
        for old in files[: max(0, len(files) - FILES_MAX + 1)]:
            old.unlink()
        number = int(files[-1].stem.rpartition("-")[2]) + 1 if files else 1
        return self._directory / f"journal-{number:08d}.jsonl"


def _ends_torn(path: Path) -> bool:
    with path.open("rb") as file:
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(max(0, size_bytes - 1))
        return file.read(1) not in (b"", b"\n")


def read_journal(directory: Path) -> Iterator[tuple[Now, Event]]:
    """All that a journal still holds, oldest first; torn lines and gaps are passed over and logged."""
    for path in sorted(directory.glob("journal-*.jsonl")):
        with path.open("rb") as file:
            for line in file:
                try:
                    yield decode_line(line)
                except ValueError as error:
                    _log.warning("%s: %s", path.name, error)
