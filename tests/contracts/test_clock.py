"""What every Clock promises."""

from __future__ import annotations

import time

from edge.adapters.system_clock import SystemClock
from protocol.clock import ClockTrust, MonoMs


def test_clock_reads_both_times() -> None:
    now = SystemClock().now()
    assert abs(now.wall - time.time() * 1000) < 1000
    assert abs(now.mono - time.monotonic() * 1000) < 1000
    assert now.clock is ClockTrust.NONE


async def test_clock_wakes_not_early() -> None:
    clock = SystemClock()
    at = MonoMs(clock.now().mono + 20)
    await clock.sleep_until(at)
    assert at <= clock.now().mono < at + 1000


async def test_clock_does_not_wait_for_the_past() -> None:
    clock = SystemClock()
    await clock.sleep_until(MonoMs(clock.now().mono - 1000))
