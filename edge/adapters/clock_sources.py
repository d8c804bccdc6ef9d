"""Second opinions about the time that the operating system has: whether NTP holds the clock, and a clock chip."""

from __future__ import annotations

import asyncio
import ctypes
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from edge.core.events import ClockRead, ClockSource, Event
from edge.ports import Clock
from protocol.clock import WallMs

RTC: Final = Path("/sys/class/rtc/rtc0/since_epoch")
NTP_MARK: Final = Path("/run/loalang-ntp/held")
_MARK_S_MAX: Final = 30.0
_EAGER_S: Final = 5.0
_PERIOD_S: Final = 300.0
_TIME_ERROR: Final = 5
_TIMEX_BYTES: Final = 512


def kernel_is_synchronised() -> bool:
    """Whether a time daemon disciplines the kernel's clock: `adjtimex` with nothing to set, see adjtimex(2).

    chrony, ntpd and systemd-timesyncd all say so to the kernel. A zeroed structure, larger than any platform's, has
    `modes` 0 in its first bytes: that only reads.
    """
    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


def daemon_is_synchronised(mark: Path = NTP_MARK, *, up_s: Callable[[], float] = time.monotonic) -> bool:
    """Whether the image's watcher saw chrony hold the clock lately: the file has the seconds since the boot of then.

    On Linux chrony tells the kernel only with `rtcsync`, and with that the kernel writes the clock chip as well,
    which then is no second source any more (chrony's `set_sync_status`). So the image runs it without.
    """
    try:
        with mark.open("rb") as file:
            told_s = float(file.read(32))
    except (OSError, ValueError):
        return False
    return 0 <= up_s() - told_s <= _MARK_S_MAX


def ntp_holds_the_clock() -> bool:
    """Whether anything trustworthy on this machine says so."""
    return daemon_is_synchronised() or kernel_is_synchronised()


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
        return ClockRead(ClockSource.NTP, self._clock.now().wall)

    def _chip(self) -> ClockRead | None:
        try:
            seconds = int(self._rtc.read_text())
        except (OSError, ValueError):
            return None
        return ClockRead(ClockSource.RTC, WallMs(seconds * 1000))
