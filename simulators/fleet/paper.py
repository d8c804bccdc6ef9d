"""What the controller has stored, read beside it from its own database: the only word on what has arrived."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

_LOOK_S: Final = 0.1


class Paper:
    """Reads one controller's database."""

    def __init__(self, data: Path) -> None:
        self._path = data / "controller.db"

    def _count(self, query: str, *values: object) -> int:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=10)) as connection:
            return int(connection.execute(query, values).fetchone()[0])

    def as_run(self) -> int:
        """How many records there are; one that came twice is one."""
        return self._count("SELECT COUNT(*) FROM as_run")

    def stood(self, document: str, standing: str, *, item: bool) -> int:
        """How many devices have told so much about a document, or about an item of it."""
        return self._count(
            "SELECT COUNT(DISTINCT device) FROM standings WHERE document = ? AND standing = ? AND (item != '') = ?",
            document,
            standing,
            item,
        )

    def seen_since(self, wall_ms: int) -> int:
        """How many devices' status came after an instant."""
        return self._count("SELECT COUNT(*) FROM devices WHERE seen_ms >= ?", wall_ms)

    async def reached(self, read: Callable[[], int], wanted: int, *, within_s: float) -> tuple[int, int]:
        """Waits until a number is reached; gives it, and the monotonic nanoseconds at which it was seen."""
        until_s = time.monotonic() + within_s
        while True:
            found, at_ns = await asyncio.to_thread(read), time.monotonic_ns()
            if found >= wanted or time.monotonic() > until_s:
                return found, at_ns
            await asyncio.sleep(_LOOK_S)
