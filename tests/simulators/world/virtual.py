"""Runs a coroutine in virtual time, for tests of one part of a world."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, TypeVar

from edge.chance import CHANCE
from edge.core.events import Event
from edge.ports import Link
from protocol.units import UnitPath
from simulators.world.loop import new_loop

T = TypeVar("T")
PLACE = UnitPath("vn/92/31000/d00000")
COMMUNE = UnitPath("vn/92/31000")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Its outcome; whatever else still runs then is called off."""
    loop = new_loop()

    async def whole() -> T:
        CHANCE.set(random.Random(7))
        try:
            return await work
        finally:
            others = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    try:
        result: T = loop.run_until_complete(whole())
        return result
    finally:
        loop.close()


def now_s() -> float:
    """Virtual seconds."""
    return asyncio.get_running_loop().time()


class Listener:
    """Takes a link's events as the runner does, and remembers when they came."""

    def __init__(self, link: Link) -> None:
        self.seen: list[tuple[float, Event]] = []
        self.busy = asyncio.Event()
        self.busy.set()
        self.task = asyncio.get_running_loop().create_task(self._listen(link))

    async def _listen(self, link: Link) -> None:
        async for event in link.events():
            self.seen.append((now_s(), event))
            await self.busy.wait()

    def times(self, event: Event) -> list[float]:
        """When this one came."""
        return [at for at, one in self.seen if one == event]
