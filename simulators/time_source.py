"""Second opinions about the time: sources that are right, wrong, or silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from edge.core.events import ClockRead, ClockSource, Event
from protocol.clock import WallMs
from simulators.loop_clock import LoopClock

_PERIOD_S: Final = 60.0


class SimTimeSources:
    """Implements `edge.ports.ClockSources`: each source tells the time at once, and every minute.

    Attributes:
        error_ms: how wrong each source is; one that is not in here says nothing.
    """

    def __init__(self, clock: LoopClock, *sources: ClockSource) -> None:
        self._clock = clock
        self._again = asyncio.Event()
        self.error_ms = dict.fromkeys(sources, 0)

    def set_error(self, source: ClockSource, error_ms: int | None) -> None:
        """From now on a source is so wrong, or silent; all tell the time at once."""
        self.error_ms.pop(source, None)
        if error_ms is not None:
            self.error_ms[source] = error_ms
        self._again.set()

    async def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.ClockSources`."""
        while True:
            self._again.clear()
            for source, error_ms in tuple(self.error_ms.items()):
                yield ClockRead(source, WallMs(self._clock.now().wall + error_ms))
            try:
                async with asyncio.timeout(_PERIOD_S):
                    await self._again.wait()
            except TimeoutError:
                pass
