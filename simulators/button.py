"""The buttons at the device: talk with its emergency key switch, and stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from edge.core.events import Event, StopPressed, TalkPressed, TalkReleased


class SimButtons:
    """Implements `edge.ports.Panel`.

    Attributes:
        key_turned: the emergency key switch is on; it counts when the talk button goes down.
        talking: the talk button is down.
    """

    def __init__(self) -> None:
        self._pressed: asyncio.Queue[Event] = asyncio.Queue()
        self.key_turned = False
        self.talking = False

    def press_talk(self) -> None:
        """The talk button goes down."""
        if not self.talking:
            self.talking = True
            self._pressed.put_nowait(TalkPressed(emergency=self.key_turned))

    def release_talk(self) -> None:
        """The talk button goes up."""
        if self.talking:
            self.talking = False
            self._pressed.put_nowait(TalkReleased())

    def press_stop(self) -> None:
        """The stop button."""
        self._pressed.put_nowait(StopPressed())

    async def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.Panel`."""
        while True:
            yield await self._pressed.get()
