"""The sound path's clock stands off from the system's, and monotonic time does not."""

from __future__ import annotations

from edge.adapters.system_clock import SystemClock
from edge.believed_clock import BelievedClock
from protocol.clock import MonoMs


async def test_believed_clock_shifts_wall_time_alone() -> None:
    system = SystemClock()
    clock = BelievedClock(system)
    clock.shift_ms = 3_600_000
    before, shown = system.now(), clock.now()
    assert 0 <= shown.wall - before.wall - 3_600_000 < 1000
    assert 0 <= shown.mono - before.mono < 1000
    await clock.sleep_until(MonoMs(shown.mono + 5))
    assert clock.now().mono >= shown.mono + 5
