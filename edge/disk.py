"""Blocking disk work in its order, away from the thread that feeds the sound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from edge.vital import Organ, Vital

T = TypeVar("T")


class Disk:
    """One executor with one thread keeps the order; an SD card may take tens of milliseconds for one fsync.

    Without an executor the work is done at once: right where the disk is memory and many agents share a process.

    Attributes:
        vital: told when a piece of work begins and ends.
    """

    def __init__(self, executor: Executor | None, *, vital: Vital | None = None) -> None:
        self._executor = executor
        self.vital = vital or Vital()

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns or raises."""
        if self._executor is None:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._watched, work)

    def _watched(self, work: Callable[[], T]) -> T:
        with self.vital.busy(Organ.DISK):
            return work()
