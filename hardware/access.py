"""How the drivers of a board reach what is outside: pins, buses, ports, cards. A mock board gives other ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardware.gpio_line import pin_factory
from hardware.linux_i2c import I2c, LinuxI2c


@dataclass(frozen=True, slots=True)
class Access:
    """The ways of this machine.

    Attributes:
        pins: gives gpiozero's pin factory.
        i2c: opens a bus by its number.
        uart: makes of a port's name what the guardian's line opens: a name again, or a function.
        alsa_library: pyalsaaudio, or what behaves like it; None for pyalsaaudio itself.
        root: where /proc and /sys are.
    """

    pins: Callable[[], Any] = pin_factory
    i2c: Callable[[int], I2c] = LinuxI2c
    uart: Callable[[str], str | Callable[[], int]] = str
    alsa_library: Any = None
    root: Path = Path("/")
