"""The one queue before the core: urgent events go before bulk ones, and whoever brings an event waits for its end.

Waiting until an event is decided and durable is the whole flow control. Each source has at most one event here, so
the queue is as long as there are sources; what is not decided yet stays where it came from, such as the broker.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from edge.core.events import (
    ClockRead,
    EnvelopeReceived,
    Event,
    MediaFailed,
    MediaLost,
    MediaStored,
    ParcelReceived,
    Route,
)

_BULK: Final = (ParcelReceived, MediaStored, MediaFailed, MediaLost, ClockRead)
_URGENT_ROUTES: Final = frozenset({Route.ALERT, Route.HTTP})


def is_urgent(event: Event) -> bool:
    """Whether the event may not wait behind schedules and downloads."""
    if isinstance(event, EnvelopeReceived):
        return event.route in _URGENT_ROUTES
    return not isinstance(event, _BULK)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event and the promise to whoever brought it."""

    event: Event
    decided: asyncio.Future[None]

    def settle(self) -> None:
        """Lets the bringer go on; it may be gone already."""
        if not self.decided.done():
            self.decided.set_result(None)


class Inbox:
    """Two lines before one counter."""

    def __init__(self) -> None:
        self._urgent: deque[Waiting] = deque()
        self._bulk: deque[Waiting] = deque()
        self._arrived = asyncio.Event()

    async def put(self, event: Event) -> None:
        """Returns when the event has been decided, and everything that had to be durable is."""
        waiting = Waiting(event, asyncio.get_running_loop().create_future())
        (self._urgent if is_urgent(event) else self._bulk).append(waiting)
        self._arrived.set()
        await waiting.decided

    async def take(self) -> Waiting:
        """The next event: the oldest urgent one, else the oldest of the others."""
        while not (self._urgent or self._bulk):
            self._arrived.clear()
            await self._arrived.wait()
        return (self._urgent or self._bulk).popleft()
