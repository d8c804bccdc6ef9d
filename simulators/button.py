"""The buttons and the key switch at the device, pressed by whoever plays the world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from hardware.interfaces import Button, Pressed

_KEY_FIRST: Final = (Button.KEY, *(one for one in Button if one is not Button.KEY))


class SimButtons:
    """Implements `hardware.interfaces.ButtonPanel`."""

    def __init__(self) -> None:
        self._changes: asyncio.Queue[Pressed] = asyncio.Queue()
        self._down: set[Button] = set()

    def hold(self, button: Button, down: bool) -> None:
        """A button goes down, or up again; the key is turned."""
        if (button in self._down) != down:
            (self._down.add if down else self._down.discard)(button)
            self._changes.put_nowait(Pressed(button, down))

    @property
    def key_turned(self) -> bool:
        """The emergency key switch is on; it counts when the talk button goes down."""
        return Button.KEY in self._down

    @key_turned.setter
    def key_turned(self, on: bool) -> None:
        self.hold(Button.KEY, on)

    @property
    def talking(self) -> bool:
        """The talk button is down."""
        return Button.TALK in self._down

    def press_talk(self) -> None:
        """The talk button goes down."""
        self.hold(Button.TALK, True)

    def release_talk(self) -> None:
        """The talk button goes up."""
        self.hold(Button.TALK, False)

    def press_stop(self) -> None:
        """The stop button, down and up."""
        self._press(Button.STOP)

    def press_message(self, number: int) -> None:
        """The button of a stored message, 1 to 3, down and up."""
        self._press(Button(f"message_{number}"))

    def _press(self, button: Button) -> None:
        self.hold(button, True)
        self.hold(button, False)

    async def presses(self) -> AsyncIterator[Pressed]:
        """See `hardware.interfaces.ButtonPanel`. What was pressed while nobody looked is over, or still held."""
        while not self._changes.empty():
            self._changes.get_nowait()
        for button in _KEY_FIRST:
            if button in self._down:
                yield Pressed(button, True)
        while True:
            yield await self._changes.get()
