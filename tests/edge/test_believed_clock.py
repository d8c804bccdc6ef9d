"""The sound path's clock stands off from the system's; it follows no step of it that the core has not judged."""

from __future__ import annotations

from edge.adapters.system_clock import SystemClock
from edge.believed_clock import BelievedClock
from protocol.clock import ClockTrust, MonoMs, Now, WallMs

HOUR_MS = 3_600_000


async def test_believed_clock_shifts_wall_time_alone() -> None:
    system = SystemClock()
    clock = BelievedClock(system)
    clock.shift_ms = 3_600_000
    before, shown = system.now(), clock.now()
    assert 0 <= shown.wall - before.wall - 3_600_000 < 1000
    assert 0 <= shown.mono - before.mono < 1000
    await clock.sleep_until(MonoMs(shown.mono + 5))
    assert clock.now().mono >= shown.mono + 5


class SetClock:
    """A system clock that somebody sets."""

    def __init__(self) -> None:
        self.mono, self.wall = 0, 1_800_000_000_000

    def pass_by(self, ms: int) -> None:
        self.mono, self.wall = self.mono + ms, self.wall + ms

    def now(self) -> Now:
        return Now(MonoMs(self.mono), WallMs(self.wall), ClockTrust.NONE)

    async def sleep_until(self, at: MonoMs) -> None:
        raise NotImplementedError


def test_hour_goes_on_when_the_system_clock_is_set_by_an_hour_and_back_while_something_sounds() -> None:
    system = SetClock()
    clock, began = BelievedClock(system), system.wall
    clock.judged(system.now())
    system.wall += HOUR_MS
    system.pass_by(1000)
    assert clock.now().wall == began + 1000  # nobody has judged it yet
    clock.shift_ms = -HOUR_MS
    clock.judged(system.now())
    system.pass_by(1000)
    assert clock.now().wall == began + 2000
    system.wall -= HOUR_MS
    system.pass_by(1000)
    assert clock.now().wall == began + 3000  # an end told now would have lain before its beginning
    clock.shift_ms = 0
    clock.judged(system.now())
    assert clock.now().wall == began + 3000


def test_small_step_is_followed_at_once_as_the_core_will() -> None:
    system = SetClock()
    clock, began = BelievedClock(system), system.wall
    clock.judged(system.now())
    system.wall += 30_000
    assert clock.now().wall == began + 30_000
