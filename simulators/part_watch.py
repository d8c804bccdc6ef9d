"""Parts of the board that fall sick when whoever plays the world says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from hardware.interfaces import Condition, Part


class SimWatch:
    """Implements `hardware.interfaces.Watch`: nothing is found until `judge` is called."""

    def __init__(self) -> None:
        self._found: asyncio.Queue[Condition] = asyncio.Queue()

    def judge(self, part: Part, *, healthy: bool, detail: str = "") -> None:
        """A part falls sick, or is well again."""
        self._found.put_nowait(Condition(part, healthy, detail))

    async def conditions(self) -> AsyncIterator[Condition]:
        """See `hardware.interfaces.Watch`."""
        while True:
            yield await self._found.get()
