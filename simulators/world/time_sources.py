"""Where a device hears what time it is: NTP on its system clock, its clock chip, the radio, the cell.

Stands for chrony as the image configures it (`makestep 1 3`, then slowly; no word in the chip), for
`edge/adapters/clock_sources.py` and `board_clocks.py`: NTP is told at once when it takes hold, and everything every
five minutes. A cell's time has no adapter yet; the core knows it, and some devices of the world have it.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextvars import Context
from dataclasses import dataclass
from typing import Final

from edge.core.events import ClockRead, ClockSource, Event
from edge.ports import CardLostError
from protocol.clock import WallMs
from simulators.world.clock import Chip, DeviceClock, true_wall

PERIOD_S: Final = 300.0
SLEW_PPM_MAX: Final = 500.0
"""`maxslewrate` of the image's chrony: faster, a lying server would drag the monotonic clock along."""
_FIRST_S: Final = (8.0, 25.0)
_AGAIN_S: Final = 64.0
_STEPS: Final = 3
_STEP_MS: Final = 1000
_FORGOTTEN_S: Final = 12 * 3600.0
"""So long chrony believes its clock without a server before the error may be too large."""


@dataclass(slots=True)
class Servers:
    """What a device's time servers are like.

    Attributes:
        away: they do not answer, although the line is good.
        error_ms: what they say minus the truth.
    """

    away: bool = False
    error_ms: int = 0


class TimeDaemon:
    """chrony for one start of one computer. It is a process of its own: it goes on while the agent hangs.

    Args:
        reaches: whether the line brings it to its servers.
        told: called when it takes hold of the clock.

    Attributes:
        holds: whether it says that the clock is right.
    """

    def __init__(
        self,
        clock: DeviceClock,
        servers: Servers,
        *,
        drift_ppm: float,
        reaches: Callable[[], bool],
        told: Callable[[], None],
        dice: random.Random,
    ) -> None:
        self._clock, self._servers, self._drift_ppm = clock, servers, drift_ppm
        self._reaches, self._told = reaches, told
        self._loop = asyncio.get_running_loop()
        self._context = Context()
        self._updates = 0
        self._heard_s = self._loop.time()
        self.holds = False
        self._handle = self._loop.call_later(dice.uniform(*_FIRST_S), self._ask, context=self._context)

    def close(self) -> None:
        """The computer is gone."""
        self._handle.cancel()

    def _ask(self) -> None:
        if self._servers.away or not self._reaches():
            if self._loop.time() - self._heard_s > _FORGOTTEN_S:
                self.holds = False
            self._again(PERIOD_S if self.holds else _AGAIN_S)
            return
        self._heard_s = self._loop.time()
        self._follow()
        held, self.holds = self.holds, True
        if not held:
            self._told()
        self._again(PERIOD_S)

    def _follow(self) -> None:
        """Steps while it is young, and slews afterwards."""
        off_ms = self._servers.error_ms - self._clock.error_ms
        self._updates += 1
        if abs(off_ms) > _STEP_MS and self._updates <= _STEPS:
            self._clock.step(off_ms)
            off_ms = 0
        self._clock.steer(max(-SLEW_PPM_MAX, min(SLEW_PPM_MAX, off_ms / PERIOD_S * 1000)))

    def _again(self, in_s: float) -> None:
        self._handle = self._loop.call_later(in_s, self._ask, context=self._context)


class ClockSources:
    """Implements `edge.ports.ClockSources`.

    Args:
        chip: None on a board without one.
        cell: what the cell tells minus the truth; None without one, or while it is not reached.
    """

    def __init__(self, clock: DeviceClock, chip: Chip | None, *, cell: Callable[[], int | None]) -> None:
        self._clock, self._chip, self._cell = clock, chip, cell
        self._loop = asyncio.get_running_loop()
        self._news: deque[ClockRead] = deque(maxlen=8)
        self._came: asyncio.Future[None] | None = None
        self.daemon: TimeDaemon | None = None

    def took_hold(self) -> None:
        """NTP says that the clock is right."""
        self._tell(self._ntp())

    def radio(self, error_ms: int) -> None:
        """The station that is listened to has told the time, so wrong."""
        self._tell(self._read(ClockSource.RDS, true_wall(self._loop.time()) + error_ms))

    def _ntp(self) -> ClockRead:
        now = self._clock.now()
        return ClockRead(ClockSource.NTP, now.wall, now.mono)

    def _read(self, source: ClockSource, wall_ms: int) -> ClockRead:
        return ClockRead(source, WallMs(wall_ms), self._clock.now().mono)

    def _tell(self, news: ClockRead) -> None:
        self._news.append(news)
        self._ring()

    def _ring(self) -> None:
        if self._came is not None and not self._came.done():
            self._came.set_result(None)

    async def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.ClockSources`."""
        while True:
            due_s = self._loop.time() + PERIOD_S
            for event in self._all():
                yield event
            while self._loop.time() < due_s:
                await self._wait(due_s)
                while self._news:
                    yield self._news.popleft()

    def _all(self) -> list[ClockRead]:
        found = []
        if self.daemon is not None and self.daemon.holds:
            found.append(self._ntp())
        told_ms, cell_ms = self._told_ms(), self._cell()
        if told_ms is not None:
            found.append(self._read(ClockSource.RTC, told_ms))
        if cell_ms is not None:
            found.append(self._read(ClockSource.CELLULAR, true_wall(self._loop.time()) + cell_ms))
        return found

    def _told_ms(self) -> int | None:
        try:
            return None if self._chip is None else self._chip.told_ms()
        except CardLostError:
            return None

    async def _wait(self, until_s: float) -> None:
        """Until there is news, or the time has come; a timer and nothing else, for it is there for ever."""
        self._came = self._loop.create_future()
        handle = self._loop.call_at(until_s, self._ring)
        try:
            await self._came
        finally:
            handle.cancel()
            self._came = None
