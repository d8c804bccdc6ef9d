"""Time: the true one, and what each device's crystal and calendar make of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from edge.core.events import ClockRead, ClockSource, Event
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from simulators.world.loop import START_S

DAWN: Final = WallMs(1_796_058_000_000)
"""When every world begins: midnight in Viet Nam on 1 December 2026."""
_EAGER_S: Final = 5.0
_PERIOD_S: Final = 300.0


def true_wall(loop_s: float) -> WallMs:
    """True wall time at an instant of the loop."""
    return WallMs(DAWN + round((loop_s - START_S) * 1000))


class DeviceClock:
    """Implements `edge.ports.Clock` for one start of one computer: begins at zero, runs with its crystal.

    Attributes:
        drift_ppm: how much faster than true time it runs; 0 for the parts that are told by true time.
        wall_error_ms: system wall minus true wall.
    """

    def __init__(self, *, drift_ppm: float = 0.0, wall_error_ms: int = 0) -> None:
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self.drift_ppm = drift_ppm
        self.wall_error_ms = wall_error_ms

    def now(self) -> Now:
        """See `edge.ports.Clock`."""
        loop_s = self._loop.time()
        mono = MonoMs(1000 + int((loop_s - self._began_s) * 1000 * (1 + self.drift_ppm / 1e6)))
        drifted_ms = int((loop_s - self._began_s) * self.drift_ppm / 1e3)
        return Now(mono, WallMs(true_wall(loop_s) + drifted_ms + self.wall_error_ms), ClockTrust.NONE)

    async def sleep_until(self, at: MonoMs) -> None:
        """See `edge.ports.Clock`."""
        left_ms = at - self.now().mono
        if left_ms > 0:
            await asyncio.sleep((left_ms + 1) / 1000 / (1 + self.drift_ppm / 1e6))


class ClockSources:
    """Implements `edge.ports.ClockSources`.

    Attributes:
        error_ms: how wrong each source is; one that is not in here says nothing.
    """

    def __init__(self, error_ms: dict[ClockSource, int]) -> None:
        self._loop = asyncio.get_running_loop()
        self.error_ms = error_ms
        self._again = asyncio.Event()

    def look(self) -> None:
        """Something about the sources has changed."""
        self._again.set()

    async def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.ClockSources`."""
        while True:
            self._again.clear()
            for source, error_ms in sorted(self.error_ms.items()):
                yield ClockRead(source, WallMs(true_wall(self._loop.time()) + error_ms))
            try:
                async with asyncio.timeout(_PERIOD_S):
                    await self._again.wait()
            except TimeoutError:
                pass
