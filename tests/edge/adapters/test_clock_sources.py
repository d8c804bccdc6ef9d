"""What the operating system knows about time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from edge.adapters.clock_sources import SystemClockSources
from edge.adapters.system_clock import SystemClock
from edge.core.events import ClockRead, ClockSource
from protocol.clock import WallMs


def test_chip_is_read(tmp_path: Path) -> None:
    (tmp_path / "rtc").write_text("1760000000\n")
    sources = SystemClockSources(SystemClock(), synchronised=lambda: False, rtc=tmp_path / "rtc")
    event = asyncio.run(_first(sources))
    assert isinstance(event, ClockRead) and event.read is not None
    assert event == ClockRead(ClockSource.RTC, WallMs(1_760_000_000_000), event.read)
    assert 0 <= SystemClock().now().mono - event.read < 5000


async def _first(sources: SystemClockSources) -> object:
    async with asyncio.timeout(5):
        events = sources.events()
        event = await anext(events)
        await events.aclose()  # type: ignore[attr-defined]
        return event


async def test_ntp_is_told_when_it_takes_hold(tmp_path: Path) -> None:
    answers = iter((False, False, True, True))
    sources = SystemClockSources(
        SystemClock(), synchronised=lambda: next(answers), rtc=tmp_path / "none", eager_s=0.01, period_s=100
    )
    event = await _first(sources)
    assert isinstance(event, ClockRead)
    assert event.source is ClockSource.NTP
    assert abs(event.wall - SystemClock().now().wall) < 1000
    assert event.read is not None and abs(event.read - SystemClock().now().mono) < 1000
