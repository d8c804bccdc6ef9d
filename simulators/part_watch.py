"""Parts of the board that fall sick when whoever plays the world says so, beside those that are really looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from hardware.interfaces import Condition, Part
from hardware.part_watch import Check, PartWatch


class SimWatch:
    """Implements `hardware.interfaces.Watch`: nothing is found until `judge` is called, or by one of the checks.

    Args:
        checks: of simulated parts that a real board's check can look at.
    """

    def __init__(self, *checks: Check) -> None:
        self._found: asyncio.Queue[Condition] = asyncio.Queue()
        self._checks = checks

    def judge(self, part: Part, *, healthy: bool, detail: str = "") -> None:
        """A part falls sick, or is well again."""
        self._found.put_nowait(Condition(part, healthy, detail))

    async def conditions(self) -> AsyncIterator[Condition]:
        """See `hardware.interfaces.Watch`."""
        looking = asyncio.create_task(self._look(), name="watch")
        try:
            while True:
                yield await self._found.get()
        finally:
            looking.cancel()
            await asyncio.wait([looking])

    async def _look(self) -> None:
        if self._checks:
            async for condition in PartWatch(self._checks).conditions():
                self._found.put_nowait(condition)
