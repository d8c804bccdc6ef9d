"""Live events to open pages: one in-process hub, and `/events` that streams them as server-sent events.

A page that falls too far behind is told `missed` and reloads its lists, so a slow phone never holds back the rest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from controller.people.domain import Viewer
from protocol.units import UnitPath, ancestors

QUEUE_MAX = 512


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """Something that changed at a place.

    Attributes:
        type: `device`, `standing`, `alert`, `schedule`, `refusal` or `unlogged`.
        place: the unit or device it concerns; only those who see the place are told.
        data: JSON values for the page.
    """

    type: str
    place: UnitPath
    data: Mapping[str, Any] = field(default_factory=dict)

    def json(self) -> str:
        """One line of JSON."""
        return json.dumps({"type": self.type, "place": self.place, **self.data}, ensure_ascii=False)


class Subscription:
    """The events one viewer may see, waiting to be sent."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self._waiting: asyncio.Queue[str | None] = asyncio.Queue(QUEUE_MAX)

    def offer(self, event: LiveEvent, line: str) -> None:
        """Queues the event if the viewer sees its place, or if those below are told of something above them."""
        if not (self.viewer.sees(event.place) or self._below(event.place)):
            return
        if self._waiting.full():
            while not self._waiting.empty():
                self._waiting.get_nowait()
            line = json.dumps({"type": "missed"})
        self._waiting.put_nowait(line)

    def _below(self, place: UnitPath) -> bool:
        # A province's alert or schedule concerns each commune in it; a device's own state does not concern others.
        return any(place in ancestors(scope) for scope in self.viewer.scopes())

    def end(self) -> None:
        """Lets `next` say that nothing comes any more."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def next(self, *, within_s: float) -> str | None:
        """The next line, an empty one when nothing came in time, or None at the end."""
        try:
            return await asyncio.wait_for(self._waiting.get(), within_s)
        except TimeoutError:
            return ""


class EventHub:
    """Passes events from whoever knows to every open page."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()
        self._closed = False

    def publish(self, type: str, place: UnitPath, **data: Any) -> None:
        """Tells every page whose viewer may know."""
        if not self._subscriptions:
            return
        event = LiveEvent(type, place, data)
        line = event.json()
        for subscription in self._subscriptions:
            subscription.offer(event, line)

    @asynccontextmanager
    async def subscribe(self, viewer: Viewer) -> AsyncIterator[Subscription]:
        """The viewer's events until the block ends."""
        subscription = Subscription(viewer)
        self._subscriptions.add(subscription)
        if self._closed:
            subscription.end()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def close(self) -> None:
        """Ends every stream, so that the service can stop."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.end()
