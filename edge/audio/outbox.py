"""Events on their way to the core: each is told when it has happened at the card, not when it was rendered.

Bounded: when nobody reads, levels are lost before anything else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from edge.core.events import Event, LevelMeasured
from edge.ports import Clock
from protocol.clock import MonoMs

_EVENTS_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class _Due:
    event: Event
    at: MonoMs


class Outbox:
    """A queue with one reader."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[_Due] = deque()
        self._came = asyncio.Event()

    def put(self, event: Event, *, at: float | None = None) -> None:
        """Appends; makes room by forgetting the oldest level, or else the oldest event.

        Args:
            at: monotonic time before which it is not told; now, if not given.
        """
        if len(self._waiting) >= _EVENTS_MAX:
            self._waiting.remove(next((one for one in self._waiting if _is_level(one)), self._waiting[0]))
        self._waiting.append(_Due(event, MonoMs(0 if at is None else round(at))))
        self._came.set()

    async def events(self) -> AsyncIterator[Event]:
        """All events, in the order in which they were put."""
        while True:
            while self._waiting:
                if self._waiting[0].at > self._clock.now().mono:
                    await self._clock.sleep_until(self._waiting[0].at)
                    continue
                yield self._waiting.popleft().event
            self._came.clear()
            await self._came.wait()


def _is_level(due: _Due) -> bool:
    return isinstance(due.event, LevelMeasured)
