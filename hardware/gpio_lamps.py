"""The lamps at the device: something sounds, the controller is reached, something is wrong."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from hardware.board_file import LampPins
from hardware.errors import BoardError
from hardware.gpio_line import OutputLine
from hardware.interfaces import Glow, LampStates

_HALF_S: Final = 0.5
_NAMES: Final = ("on_air", "link", "fault")
_log = logging.getLogger(__name__)


class GpioLamps:
    """Implements `hardware.interfaces.Lamps`: lamps that blink do so together.

    Args:
        pins: where the lamps are.
        factory: gpiozero's pin factory; None for the one of this machine.

    Raises:
        BoardError: a pin cannot be had.
    """

    def __init__(self, pins: LampPins, *, factory: Any = None) -> None:
        self._lines: dict[str, OutputLine] = {}
        self._states = LampStates()
        self._next: asyncio.TimerHandle | None = None
        self._failed = False
        try:
            for name in _NAMES:
                pin: int | None = getattr(pins, name)
                if pin is not None:
                    self._lines[name] = OutputLine(pin, active_high=pins.active_high, factory=factory)
        except BaseException:
            self.close()
            raise

    def show(self, states: LampStates) -> None:
        """See `hardware.interfaces.Lamps`. Without an event loop a lamp that should blink shines."""
        self._states = states
        self._paint()

    def close(self) -> None:
        """Puts them out and lets go of the pins."""
        self._wait_no_more()
        for line in self._lines.values():
            line.close()
        self._lines = {}

    def _paint(self) -> None:
        self._wait_no_more()
        loop = _running_loop()
        bright = loop is None or int(loop.time() / _HALF_S) % 2 == 0
        glows = {name: Glow(getattr(self._states, name)) for name in self._lines}
        for name, glow in glows.items():
            self._set(name, glow is Glow.ON or (glow is Glow.BLINK and bright))
        if loop is not None and Glow.BLINK in glows.values():
            self._next = loop.call_at((int(loop.time() / _HALF_S) + 1) * _HALF_S, self._paint)

    def _set(self, name: str, on: bool) -> None:
        line = self._lines[name]
        if line.on is on:
            return
        try:
            line.set(on)
        except BoardError as error:
            _log.log(logging.DEBUG if self._failed else logging.WARNING, "the lamp %s: %s", name, error)
            self._failed = True

    def _wait_no_more(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
