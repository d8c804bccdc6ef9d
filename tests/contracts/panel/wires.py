"""Pairs of pins joined by a wire, as in gpiozero's own suite: one of a pair is the driver's, the other the world's.

Without anything said the wires are in gpiozero's mock factory. On a real board, connect at least four pairs of free
pins by 1 kΩ each, and name them, the world's pin first:

    LOALANG_GPIO_LOOPBACK=5:6,12:13,16:19,20:26 python -m pytest -p no:xdist tests/contracts/panel

Then the same tests run in real time on whatever library gpiozero finds there, or GPIOZERO_PIN_FACTORY names.
"""

from __future__ import annotations

import os
from typing import Any

from gpiozero import InputDevice, OutputDevice
from gpiozero.pins.mock import MockConnectedPin, MockFactory

from hardware.gpio_line import pin_factory

_NAMED = os.environ.get("LOALANG_GPIO_LOOPBACK", "")
REAL = bool(_NAMED)
_MOCKED = "5:6,12:13,16:19,20:26,21:22,23:24"
_PAIRS = [tuple(int(pin) for pin in pair.split(":")) for pair in (_NAMED or _MOCKED).split(",")]
COUNT = len(_PAIRS)
assert COUNT >= 4, "LOALANG_GPIO_LOOPBACK names four pairs at least"


class Wires:
    """The wires; `factory` is what a driver is given."""

    def __init__(self) -> None:
        self.factory: Any = pin_factory() if REAL else MockFactory()
        self._devices: list[Any] = []
        self._world: dict[int, Any] = {}

    def input(self, wire: int) -> int:
        """The pin that a driver reads; the world opens the contact."""
        world, driver = _PAIRS[wire]
        self._join(world, driver)
        self._world[wire] = OutputDevice(world, initial_value=True, pin_factory=self.factory)
        self._devices.append(self._world[wire])
        return driver

    def hold(self, wire: int, closed: bool) -> None:
        """The world closes the contact to ground, or opens it."""
        self._world[wire].value = not closed

    def output(self, wire: int) -> int:
        """The pin that a driver sets."""
        world, driver = _PAIRS[wire]
        self._join(driver, world)
        self._world[wire] = InputDevice(world, pull_up=None, active_state=True, pin_factory=self.factory)
        self._devices.append(self._world[wire])
        return driver

    def high(self, wire: int) -> bool:
        """What the world reads."""
        return bool(self._world[wire].value)

    def close(self) -> None:
        """Lets go of the world's pins."""
        for device in self._devices:
            device.close()
        if isinstance(self.factory, MockFactory):
            self.factory.reset()

    def _join(self, output: int, into: int) -> None:
        if isinstance(self.factory, MockFactory):
            self.factory.pin(output, pin_class=MockConnectedPin, input_pin=self.factory.pin(into))
