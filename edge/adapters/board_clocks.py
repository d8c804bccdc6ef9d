"""What a board knows of the time: its clock chip, and the clock of the radio station it listens to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final, Protocol

from edge.core.events import ClockRead, ClockSource, Event
from hardware.errors import PortError
from hardware.fm_tuner import RadioTime
from protocol.clock import MonoMs, WallMs

_PERIOD_S: Final = 300.0
_RADIO_S: Final = 5.0
_log = logging.getLogger(__name__)


class Clocks(Protocol):
    """What of a board knows the time; see `hardware.board_chips.Chips`."""

    async def chip_time_ms(self) -> int | None:
        """Wall milliseconds by the clock chip, if it knows them. Raises PortError."""
        ...

    def radio_time(self) -> RadioTime | None:
        """The last time that the station tuned to has told."""
        ...


class BoardClocks:
    """Implements `edge.ports.ClockSources`: the chip every five minutes, the radio whenever it tells a new time."""

    def __init__(self, chips: Clocks) -> None:
        self._chips = chips
        self._failed = False

    async def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.ClockSources`."""
        loop = asyncio.get_running_loop()
        due_s, radio_s = loop.time(), 0.0
        while True:
            if loop.time() >= due_s:
                due_s = loop.time() + _PERIOD_S
                chip = await self._chip()
                if chip is not None:
                    yield chip
            told = self._chips.radio_time()
            if told is not None and told.at_s > radio_s:
                radio_s = told.at_s
                age_ms = round((loop.time() - told.at_s) * 1000)
                yield ClockRead(ClockSource.RDS, WallMs(told.utc_s * 1000 + age_ms), _mono())
            await asyncio.sleep(_RADIO_S)

    async def _chip(self) -> ClockRead | None:
        try:
            wall_ms = await self._chips.chip_time_ms()
        except PortError as error:
            _log.log(logging.DEBUG if self._failed else logging.WARNING, "the clock chip does not answer: %s", error)
            self._failed = True
            return None
        self._failed = False
        return None if wall_ms is None else ClockRead(ClockSource.RTC, WallMs(wall_ms), _mono())


def _mono() -> MonoMs:
    """The loop's clock is the monotonic one that `edge.ports.Clock` reads."""
    return MonoMs(int(asyncio.get_running_loop().time() * 1000))
