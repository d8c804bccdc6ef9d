"""Events on their way to the core, bounded: when nobody reads, levels are lost before anything else."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from edge.core.events import Event, LevelMeasured

_EVENTS_MAX: Final = 1000


class Outbox:
    """A queue with one reader."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._came = asyncio.Event()

    def put(self, event: Event) -> None:
        """Appends; makes room by forgetting the oldest level, or else the oldest event."""
        if len(self._events) >= _EVENTS_MAX:
            oldest = next((held for held in self._events if isinstance(held, LevelMeasured)), self._events[0])
            self._events.remove(oldest)
        self._events.append(event)
        self._came.set()

    async def events(self) -> AsyncIterator[Event]:
        """All events, as they come."""
        while True:
            while self._events:
                yield self._events.popleft()
            self._came.clear()
            await self._came.wait()
