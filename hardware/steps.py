"""Procedures of drivers that tell how long they want to wait, walked through on an event loop.

Chips are talked to in a thread, because a message on the bus takes milliseconds and a stuck one seconds; waiting is
the loop's, so a virtual loop makes it cost nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from functools import partial
from typing import Any, TypeVar

from hardware.chip_thread import in_chip_thread

T = TypeVar("T")


async def walk(steps: Generator[float, None, T]) -> T:
    """Goes through a generator of milliseconds to wait; returns what it returns. What it raises passes through."""
    while True:
        wait_ms, result = await in_chip_thread(partial(_step, steps))
        if wait_ms is None:
            return result  # type: ignore[no-any-return]
        await asyncio.sleep(wait_ms / 1000)


async def walk_through(steps: Iterator[int]) -> None:
    """The same for procedures of the shared drivers, which return nothing."""
    await walk(_milliseconds(steps))


def _milliseconds(steps: Iterator[int]) -> Generator[float, None, None]:
    yield from steps


def _step(steps: Generator[float, None, Any]) -> tuple[float | None, Any]:
    """One step; StopIteration cannot pass through a future, so it is told as a value."""
    try:
        return next(steps), None
    except StopIteration as end:
        return None, end.value
