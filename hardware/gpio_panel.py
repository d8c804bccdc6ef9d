"""The talk button, the emergency key switch, stop and three stored messages, each between a pin and ground.

gpiozero tells edges from a thread of its own. Here an edge is no more than a hint to look now: what counts is the
level, which is also read without a hint, so that a missed edge is made good within a quarter of a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from hardware.board_file import PanelPins
from hardware.gpio_debounce import Debounce
from hardware.gpio_line import InputLine
from hardware.interfaces import Button, Pressed

_REST_S: Final = 0.005
"""Between two looks: a pin that picks up a radio cannot keep the loop busy."""
_READ_AGAIN_S: Final = 0.25
_READ_WITHOUT_EDGES_S: Final = 0.01
_KEY_FIRST: Final = (Button.KEY, *(one for one in Button if one is not Button.KEY))
"""Who finds key and button down at once means an emergency."""


class GpioPanel:
    """Implements `hardware.interfaces.ButtonPanel`.

    Args:
        pins: where the contacts are.
        factory: gpiozero's pin factory; None for the one of this machine, see `hardware.gpio_line`.

    Raises:
        BoardError: a pin cannot be had.
    """

    def __init__(self, pins: PanelPins, *, factory: Any = None) -> None:
        self._contacts: dict[Button, InputLine] = {}
        self._steadied: dict[Button, Debounce] = {}
        self._looked_for: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hinted = False
        try:
            for button in _KEY_FIRST:
                pin: int | None = getattr(pins, button.value)
                if pin is not None:
                    self._contacts[button] = InputLine(pin, factory=factory)
        except BaseException:
            self.close()
            raise

    async def presses(self) -> AsyncIterator[Pressed]:
        """See `hardware.interfaces.ButtonPanel`."""
        self._loop, self._looked_for = asyncio.get_running_loop(), asyncio.Event()
        self._steadied = {button: Debounce() for button in self._contacts}
        edges = [one.listen(self._hint) for one in self._contacts.values()]
        read_again_s = _READ_AGAIN_S if all(edges) else _READ_WITHOUT_EDGES_S
        hinted = False
        while True:
            for pressed in self._look():
                yield pressed
            try:
                async with asyncio.timeout(self._until_due_s(read_again_s)):
                    if hinted:
                        await asyncio.sleep(_REST_S)
                    await self._looked_for.wait()
            except TimeoutError:
                pass
            hinted = self._looked_for.is_set()

    def close(self) -> None:
        """Lets go of the pins."""
        for contact in self._contacts.values():
            contact.close()

    def _look(self) -> list[Pressed]:
        self._hinted = False
        if self._looked_for:
            self._looked_for.clear()
        now_ms = self._now_ms()
        return [
            Pressed(button, self._steadied[button].down)
            for button, contact in self._contacts.items()
            if self._steadied[button].feed(contact.closed(), now_ms, moved=contact.moved())
        ]

    def _until_due_s(self, read_again_s: float) -> float:
        due_ms = [one.due_ms for one in self._steadied.values() if one.due_ms is not None]
        if not due_ms:
            return read_again_s
        return min(read_again_s, max(0.001, (min(due_ms) - self._now_ms()) / 1000))

    def _now_ms(self) -> float:
        return asyncio.get_running_loop().time() * 1000

    def _hint(self) -> None:
        """Called in gpiozero's thread; one hint is enough until the next look."""
        if self._hinted or self._loop is None or self._looked_for is None:
            return
        self._hinted = True
        try:
            self._loop.call_soon_threadsafe(self._looked_for.set)
        except RuntimeError:  # the loop has ended, the thread not yet
            pass
