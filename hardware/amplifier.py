"""The amplifier's enable line, or the relay in its supply, at a pin.

Lead-in and hold are the agent's: once on, it stays on for half a second at least (the shortest hold time that can be
signed), so a relay never chatters, and switches hundreds of times a day at the very worst, where it is good for
100,000. Here is only what the pin needs: never a blip.
"""

from __future__ import annotations

import logging
from typing import Any

from hardware.errors import BoardError
from hardware.gpio_line import OutputLine

_log = logging.getLogger(__name__)


class GpioAmplifier:
    """Implements `hardware.interfaces.Amplifier`.

    Args:
        pin: BCM number.
        active_high: False for relay boards that switch on by a low level.
        factory: gpiozero's pin factory; None for the one of this machine.

    Raises:
        BoardError: the pin cannot be had.
    """

    def __init__(self, pin: int, *, active_high: bool = True, factory: Any = None) -> None:
        self._failed = False
        self._line = OutputLine(pin, active_high=active_high, factory=factory)

    async def switch(self, on: bool) -> None:
        """See `hardware.interfaces.Amplifier`; written also when it should be so already, in case it is not.

        A pin that fails is told in the log: sound goes on, since the amplifier may well be on.
        """
        try:
            self._line.set(on)
        except BoardError as error:
            _log.log(logging.DEBUG if self._failed else logging.WARNING, "the amplifier does not obey: %s", error)
            self._failed = True
        else:
            self._failed = False

    def close(self) -> None:
        """Switches off and leaves the pin on the safe side."""
        self._line.close()
