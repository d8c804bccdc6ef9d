"""How background work waits for its next turn, always ends when it is told to, and tells of trouble once."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

RETRY_S: Final = 1.0
RETRY_S_MAX: Final = 60.0
_DOUBLINGS_MAX: Final = 8


class Trouble:
    """A piece of work that fails and is tried again: its first failure is told, repeats only to whoever debugs.

    A disk may be full for days, and every line of a log wants room on it.

    Args:
        words: what does not work, for the log.
    """

    def __init__(self, logger: logging.Logger, words: str) -> None:
        self._logger, self._words = logger, words
        self._failures = 0

    def over(self) -> None:
        """It worked."""
        self._failures = 0

    def happened(self) -> float:
        """It failed: tells the exception that is being handled.

        Returns:
            Seconds until it is worth another try: longer each time.
        """
        level = logging.DEBUG if self._failures else logging.WARNING
        self._logger.log(level, "%s; trying again", self._words, exc_info=True)
        wait_s: float = min(RETRY_S * 2.0 ** min(self._failures, _DOUBLINGS_MAX), RETRY_S_MAX)
        self._failures += 1
        return wait_s


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
