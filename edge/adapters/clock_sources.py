"""Second opinions about the time that the operating system has: whether NTP holds the clock, and a clock chip."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from edge.core.events import ClockRead, ClockSource, Event
from edge.ports import Clock
from hardware.ntp import ntp_holds_the_clock
from protocol.clock import WallMs

RTC: Final = Path("/sys/class/rtc/rtc0/since_epoch")
_EAGER_S: Final = 5.0
_PERIOD_S: Final = 300.0


class SystemClockSources:
    """Implements ClockSources for a real machine."""

    def __init__(
        self,
        clock: Clock,
        *,
        synchronised: Callable[[], bool] = ntp_holds_the_clock,
        rtc: Path = RTC,
        eager_s: float = _EAGER_S,
        period_s: float = _PERIOD_S,
    ) -> None:
        self._clock, self._synchronised, self._rtc = clock, synchronised, rtc
        self._eager_s, self._period_s = eager_s, period_s

    async def events(self) -> AsyncIterator[Event]:
        """Tells seldom, and at once when NTP has just taken hold."""
        due_s, held = 0.0, False
        while True:
            ntp = self._ntp()
            due = asyncio.get_running_loop().time() >= due_s
            if ntp is not None and (due or not held):
                yield ntp
            if due:
                due_s = asyncio.get_running_loop().time() + self._period_s
                chip = self._chip()
                if chip is not None:
                    yield chip
            held = ntp is not None
            await asyncio.sleep(self._eager_s)

    def _ntp(self) -> ClockRead | None:
        if not self._synchronised():
            return None
        now = self._clock.now()
        return ClockRead(ClockSource.NTP, now.wall, now.mono)

    def _chip(self) -> ClockRead | None:
        try:
            seconds = int(self._rtc.read_text())
        except (OSError, ValueError):
            return None
        return ClockRead(ClockSource.RTC, WallMs(seconds * 1000), self._clock.now().mono)
