"""Time: the true one, and what each device's crystal, system clock and clock chip make of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from edge.ports import CardLostError
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from simulators.world.loop import START_S

DAWN: Final = WallMs(1_796_058_000_000)
"""When every world begins: midnight in Viet Nam on 1 December 2026."""
_FIRST_MS: Final = 1000


def true_wall(loop_s: float) -> WallMs:
    """True wall time at an instant of the loop."""
    return WallMs(DAWN + round((loop_s - START_S) * 1000))


class DeviceClock:
    """Implements `edge.ports.Clock` for one start of one computer: begins at zero, runs with its crystal.

    Monotonic and wall clock run at the same rate, as on Linux: what NTP does to the one it does to the other. A step
    moves the wall clock alone.

    Args:
        drift_ppm: how much faster than true time it runs.
        wall_error_ms: system wall minus true wall at the start.
    """

    def __init__(self, *, drift_ppm: float = 0.0, wall_error_ms: int = 0) -> None:
        self._loop = asyncio.get_running_loop()
        self._base_s, self._base_ms = self._loop.time(), float(_FIRST_MS)
        self._per_s = 1000 * (1 + drift_ppm / 1e6)
        self._wall_ms = true_wall(self._base_s) + wall_error_ms - _FIRST_MS

    def now(self) -> Now:
        """See `edge.ports.Clock`."""
        mono = int(self._base_ms + (self._loop.time() - self._base_s) * self._per_s)
        return Now(MonoMs(mono), WallMs(mono + self._wall_ms), ClockTrust.NONE)

    async def sleep_until(self, at: MonoMs) -> None:
        """See `edge.ports.Clock`."""
        left_ms = at - self.now().mono
        if left_ms > 0:
            await asyncio.sleep((left_ms + 1) / self._per_s)

    @property
    def error_ms(self) -> int:
        """System wall minus true wall."""
        return self.now().wall - true_wall(self._loop.time())

    def step(self, by_ms: int) -> None:
        """Somebody sets the wall clock."""
        self._wall_ms += by_ms

    def steer(self, ppm: float) -> None:
        """From now on both clocks run so much faster than true time."""
        now_s = self._loop.time()
        self._base_ms += (now_s - self._base_s) * self._per_s
        self._base_s, self._per_s = now_s, 1000 * (1 + ppm / 1e6)


@dataclass(slots=True)
class Chip:
    """Implements `edge.ports.ClockChip`: a DS3231 with its battery, which outlives every computer.

    Attributes:
        error_ms: what it told minus the truth at `set_s`, of the loop.
        drift_ppm: of its own crystal.
        stopped: it knows that its oscillator has stood still.
        stuck_ms: it tells this one time for ever.
        dead: it does not answer.
    """

    error_ms: int = 0
    set_s: float = START_S
    drift_ppm: float = 0.0
    stopped: bool = False
    stuck_ms: int | None = None
    dead: bool = False

    def told_ms(self) -> int | None:
        """Wall milliseconds, whole seconds; None when it knows that it has stopped. Raises CardLostError."""
        if self.dead:
            raise CardLostError("the clock chip does not answer")
        if self.stopped:
            return None
        if self.stuck_ms is not None:
            return self.stuck_ms
        now_s = asyncio.get_running_loop().time()
        drifted_ms = (now_s - self.set_s) * self.drift_ppm / 1000
        return int(true_wall(now_s) + self.error_ms + drifted_ms) // 1000 * 1000

    async def read_ms(self) -> int | None:
        """See `edge.ports.ClockChip`."""
        return self.told_ms()

    async def set(self, utc_s: int) -> None:
        """See `edge.ports.ClockChip`."""
        if self.dead:
            raise CardLostError("the clock chip does not answer")
        self.put(utc_s * 1000)

    def put(self, wall_ms: int) -> None:
        """It goes on from this time."""
        self.set_s = asyncio.get_running_loop().time()
        self.error_ms, self.stopped = wall_ms - true_wall(self.set_s), False

    def halt(self, stuck: bool) -> None:
        """It tells the present second for ever, or goes on from it."""
        told_ms = None if self.dead or self.stopped else self.told_ms()
        if stuck:
            self.stuck_ms = told_ms
        elif self.stuck_ms is not None:
            former, self.stuck_ms = self.stuck_ms, None
            self.put(former)
