"""What a board's own watch finds, in the words of the core."""

from __future__ import annotations

from collections.abc import AsyncIterator

from edge.core.events import BoardPart, Event, PartJudged
from hardware.interfaces import Watch


class PartEvents:
    """A source of events: the first finding about each part, then its changes."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    async def events(self) -> AsyncIterator[Event]:
        """PartJudged."""
        async for found in self._watch.conditions():
            yield PartJudged(BoardPart(found.part.value), found.healthy, found.detail)
