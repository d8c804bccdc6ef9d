"""A computer that proves its life twice a second, until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

from hardware.errors import CardLostError
from hardware.interfaces import Guardian
from simulators.loop_clock import LoopClock

BEAT_S = 0.5


class Pulse:
    """Beats between `start` and `stop`; `async with` stops it at the latest.

    Attributes:
        wall_ms: what time it tells; the clock's by default, None to tell none.
        last_ms: when it last beat.
    """

    def __init__(self, guardian: Guardian, clock: LoopClock) -> None:
        self._guardian, self._clock = guardian, clock
        self._task: asyncio.Task[None] | None = None
        self.wall_ms: Callable[[], int | None] = lambda: clock.now().wall
        self.last_ms = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def start(self) -> None:
        """The computer lives (again)."""
        self._task = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """It hangs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _beat(self) -> None:
        while True:
            try:
                await self._guardian.beat(self.wall_ms())
                self.last_ms = self._clock.exact_mono_ms()
            except CardLostError:
                pass
            await asyncio.sleep(BEAT_S)
