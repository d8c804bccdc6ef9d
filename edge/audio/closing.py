"""Sources on their way out: closing may take a while and nothing waits for it but the end of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Closing:
    """Tasks that let go of something."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Lets it run, and keeps it until it is done."""
        task = asyncio.create_task(work, name="closing")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def done(self) -> None:
        """Returns when all of it is over."""
        if self._tasks:
            await asyncio.wait(self._tasks)
