"""What a source of the time says goes to the core when it is news; most readings only say that time has passed.

A chip, NTP and a radio station are read every few minutes for ever. Each reading would be an event of the core and a
line of its journal, some 900 a day; what matters is how far a source is from the device's own monotonic clock, and
that stands still. So it is told when that has moved, and now and then although it has not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from edge.core.events import ClockRead, ClockSource, Event
from edge.ports import Clock
from edge.pump import Source
from protocol.clock import MonoMs

MOVED_MS: Final = 1500
"""A chip tells whole seconds; sources agree within a minute."""
AGAIN_MS: Final = 3_600_000


class ClockNews:
    """Remembers what each source last told the core."""

    def __init__(self) -> None:
        self._told: dict[ClockSource, tuple[int, MonoMs]] = {}

    def is_news(self, read: ClockRead, mono: MonoMs) -> bool:
        """Whether the source has moved against the monotonic clock, or was last told an hour ago."""
        offset_ms = read.wall - mono
        former_ms, told = self._told.get(read.source, (0, mono))
        if read.source in self._told and abs(offset_ms - former_ms) < MOVED_MS and mono - told < AGAIN_MS:
            return False
        self._told[read.source] = offset_ms, mono
        return True


async def news_only(source: Source, clock: Clock) -> AsyncIterator[Event]:
    """The events of a source, without readings of the time that say nothing new."""
    news, events = ClockNews(), source()
    try:
        async for event in events:
            if not isinstance(event, ClockRead) or news.is_news(event, clock.now().mono):
                yield event
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
