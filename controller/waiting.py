"""How background work waits for its next turn, so that it always ends when it is told to."""

from __future__ import annotations

import asyncio


async def wait_a_while(event: asyncio.Event, *, seconds: float) -> None:
    """Returns when the event is set or the time is over.

    Raises:
        asyncio.CancelledError: also when the task was cancelled before and a library on the way, such as a database
            driver, turned that into an error of its own: work that goes on after such an error would never end.
    """
    _end_if_told()
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


async def rest(seconds: float) -> None:
    """Sleeps; raises as `wait_a_while` does."""
    _end_if_told()
    await asyncio.sleep(seconds)


def _end_if_told() -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
