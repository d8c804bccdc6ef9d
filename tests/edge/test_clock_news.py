"""Readings of the time reach the core when they are news."""

from __future__ import annotations

from collections.abc import AsyncIterator

from edge.clock_news import AGAIN_MS, MOVED_MS, news_only
from edge.core.events import CardChanged, ClockRead, ClockSource, Event
from protocol.clock import ClockTrust, MonoMs, Now, WallMs

BEGIN = 1_796_058_000_000


class Watch:
    """A clock that is set by hand."""

    mono = MonoMs(0)

    def now(self) -> Now:
        return Now(self.mono, WallMs(0), ClockTrust.NONE)

    async def sleep_until(self, at: MonoMs) -> None:
        raise NotImplementedError


class Read:
    """Readings at instants of the monotonic clock, each so far off; tells when it was let go of."""

    def __init__(self, watch: Watch, *said: tuple[ClockSource, int, int]) -> None:
        self.watch, self.said, self.closed = watch, said, False

    async def events(self) -> AsyncIterator[Event]:
        try:
            for source, mono, off_ms in self.said:
                self.watch.mono = MonoMs(mono)
                yield ClockRead(source, WallMs(BEGIN + mono + off_ms))
            yield CardChanged(True)
        finally:
            self.closed = True


async def heard(*said: tuple[ClockSource, int, int]) -> list[int]:
    """Which readings came through, by their instants."""
    watch = Watch()
    read = Read(watch, *said)
    found = [(watch.mono, event) async for event in news_only(read.events, watch)]
    assert found.pop()[1] == CardChanged(True) and read.closed
    return [mono for mono, _ in found]


async def test_chip_that_keeps_its_pace_is_told_once_an_hour() -> None:
    said = [(ClockSource.RTC, mono, -mono % 1000) for mono in range(0, AGAIN_MS * 2, 300_000)]
    assert await heard(*said) == [0, AGAIN_MS]


async def test_source_that_moves_is_told_at_once_and_each_counts_for_itself() -> None:
    said = [
        (ClockSource.RTC, 0, 0),
        (ClockSource.NTP, 5, 0),
        (ClockSource.RTC, 300_000, MOVED_MS - 1),
        (ClockSource.RTC, 600_000, MOVED_MS),
        (ClockSource.NTP, 600_005, 0),
        (ClockSource.RTC, 900_000, MOVED_MS),
        (ClockSource.RTC, 1_200_000, -90_000),
    ]
    assert await heard(*said) == [0, 5, 600_000, 1_200_000]


async def test_slow_creep_does_not_pass_unseen() -> None:
    said = [(ClockSource.NTP, mono, mono // 600) for mono in range(0, 3_000_000, 300_000)]
    assert await heard(*said) == [0, 900_000, 1_800_000, 2_700_000]


class Bare:
    """A source that is no generator has nothing to let go of."""

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        raise StopAsyncIteration


async def test_source_without_an_end_to_close_is_taken_too() -> None:
    assert [event async for event in news_only(Bare, Watch())] == []
