"""What the amplifier hears: the computer, the FM tuner directly, or nothing. Of its two relays one at most is closed.

Two outputs that are joined for a moment feed each other; so the one contact opens, and the other closes when a
relay's release time and bouncing are over (5 ms and 10 ms on data sheets of small signal relays; 20 ms by default).
"""

from __future__ import annotations

import asyncio
import logging
from enum import StrEnum
from typing import Any

from hardware.board_file import SelectorPart
from hardware.errors import BoardError
from hardware.gpio_line import OutputLine
from hardware.interfaces import Amplifier

_log = logging.getLogger(__name__)


class Heard(StrEnum):
    """What goes to the amplifier."""

    COMPUTER = "computer"
    FM = "fm"
    NOTHING = "nothing"


class Selector:
    """Break before make, also when somebody changes his mind in between.

    Args:
        part: pins and times.
        factory: gpiozero's pin factory; None for the one of this machine.

    Raises:
        BoardError: a pin cannot be had.
    """

    def __init__(self, part: SelectorPart, *, factory: Any = None) -> None:
        self._settle_s = part.settle_ms / 1000
        self._open_at_s: float | None = None
        self._lock = asyncio.Lock()
        computer = OutputLine(part.computer_pin, active_high=part.active_high, factory=factory)
        try:
            fm = OutputLine(part.fm_pin, active_high=part.active_high, factory=factory)
        except BaseException:
            computer.close()
            raise
        self._lines = {Heard.COMPUTER: computer, Heard.FM: fm}

    @property
    def heard(self) -> Heard:
        """Whose contact is closed."""
        return next((one for one, line in self._lines.items() if line.on), Heard.NOTHING)

    async def select(self, wanted: Heard) -> None:
        """Returns when it is so. Cancelled in between, nothing is heard until it is asked again.

        Raises:
            BoardError: a pin does not obey.
        """
        async with self._lock:
            if wanted is self.heard and wanted is not Heard.NOTHING:
                return
            loop = asyncio.get_running_loop()
            if self.heard is not Heard.NOTHING:
                try:
                    self._open_all()
                finally:
                    self._open_at_s = loop.time()
            if wanted is Heard.NOTHING:
                return
            if self._open_at_s is None:  # who held the relays before we did is not known
                self._open_at_s = loop.time()
            await asyncio.sleep(max(0.0, self._open_at_s + self._settle_s - loop.time()))
            self._lines[wanted].set(True)

    def close(self) -> None:
        """Opens both and leaves the pins on the safe side."""
        for line in self._lines.values():
            line.close()

    def _open_all(self) -> None:
        failed: BoardError | None = None
        for line in self._lines.values():
            try:
                line.set(False)
            except BoardError as error:  # the other one is opened all the same
                failed = error
        if failed is not None:
            raise failed


class SelectedAmplifier:
    """Implements `hardware.interfaces.Amplifier`: the computer is what is heard before the amplifier goes on."""

    def __init__(self, amplifier: Amplifier, selector: Selector) -> None:
        self._amplifier, self._selector = amplifier, selector

    async def switch(self, on: bool) -> None:
        """See `hardware.interfaces.Amplifier`."""
        if on:
            try:
                await self._selector.select(Heard.COMPUTER)
            except BoardError as error:
                _log.warning("the selector does not obey: %s", error)
        await self._amplifier.switch(on)
