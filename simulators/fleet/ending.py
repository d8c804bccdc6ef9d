"""A fleet that is told to end (Ctrl-C, SIGTERM) ends its processes and clears its memory away first."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from simulators.fleet.crew import CrewError

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """As `asyncio.run`.

    Raises:
        CrewError: told to end.
    """

    async def until_told() -> T:
        task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(until_told())
    except asyncio.CancelledError as error:
        raise CrewError("told to end") from error
