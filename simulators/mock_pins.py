"""gpiozero's mock pins with the manners of real ones, and a memory of every level that a relay on them has seen.

gpiozero's own mock pin forgets what it was between two acts: made an output first and set afterwards, a real pin is
low in between. Here it is, and it is remembered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from gpiozero.pins.mock import MockFactory, MockPin

_LEVELS_MAX: Final = 10_000
_PULLED: Final = {"up": True, "down": False}


class WitnessPin(MockPin):  # type: ignore[misc]
    """A pin.

    Attributes:
        levels: every level it was driven or pulled to, oldest first; floating leaves it where it was.
        told: what is connected to it, told of every level.
    """

    def __init__(self, factory: Any, info: Any) -> None:
        self.levels: deque[bool] = deque(maxlen=_LEVELS_MAX)
        self.told: Callable[[bool], object] = bool
        super().__init__(factory, info)

    def output_with_state(self, state: bool) -> None:
        """See `gpiozero.Pin`: one act, as RPi.GPIO does it."""
        self._function = "output"
        self._drive(state)

    def _set_function(self, value: str) -> None:
        before = self._function
        super()._set_function(value)
        if value == "output" != before:
            self._drive(False)  # what a line shows that was claimed without a level

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        if value in _PULLED:
            self._witness(_PULLED[value])

    def _set_state(self, value: bool) -> None:
        super()._set_state(value)
        self._witness(bool(value))

    def _drive(self, level: bool) -> None:
        self._change_state(bool(level))
        self._witness(bool(level))

    def _witness(self, level: bool) -> None:
        self.levels.append(level)
        self.told(level)


class MockPins:
    """A factory to give to drivers, with hands that press what is connected to it."""

    def __init__(self) -> None:
        self.factory = MockFactory(pin_class=WitnessPin)

    def pin(self, number: int) -> WitnessPin:
        """The pin itself."""
        pin: WitnessPin = self.factory.pin(number)
        return pin

    def close_contact(self, number: int, closed: bool) -> None:
        """A hand closes the contact between a pin and ground, or opens it."""
        if closed:
            self.pin(number).drive_low()
        else:
            self.pin(number).drive_high()
