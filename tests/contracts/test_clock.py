"""What every Clock promises."""

from __future__ import annotations

import time

import pytest

from edge.adapters.system_clock import SystemClock, both_ns
from protocol.clock import ClockTrust, MonoMs


def test_clock_reads_both_times() -> None:
    now = SystemClock().now()
    assert abs(now.wall - time.time() * 1000) < 1000
    assert abs(now.mono - time.monotonic() * 1000) < 1000
    assert now.clock is ClockTrust.NONE


def test_both_times_are_of_one_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program got the processor between the two readings: a programme would begin 3 ms beside its second."""
    monos, walls = iter([0, 3_100_000, 3_120_000]), iter([1_003_000_000, 1_003_110_000])
    monkeypatch.setattr("edge.adapters.system_clock.time.monotonic_ns", lambda: next(monos))
    monkeypatch.setattr("edge.adapters.system_clock.time.time_ns", lambda: next(walls))
    assert both_ns() == (3_100_000, 1_003_110_000)


async def test_clock_wakes_not_early() -> None:
    clock = SystemClock()
    at = MonoMs(clock.now().mono + 20)
    await clock.sleep_until(at)
    assert at <= clock.now().mono < at + 1000


async def test_clock_does_not_wait_for_the_past() -> None:
    clock = SystemClock()
    await clock.sleep_until(MonoMs(clock.now().mono - 1000))
