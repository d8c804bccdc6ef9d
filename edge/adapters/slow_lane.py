"""Blocking work on a thing that may never answer, such as a stick: the agent waits for a while, then goes on.

A read from a dying stick may hang in the kernel for ever, and no thread can be stopped from outside. So each piece of
work has a thread of its own that nobody waits for at the end of the program, and while one hangs no other is begun.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, Final, TypeVar

T = TypeVar("T")

PATIENCE_S: Final = 15.0


class SlowLane:
    """One piece of work at a time."""

    def __init__(self, name: str, *, patience_s: float = PATIENCE_S) -> None:
        self._threads, self._patience_s = _LonelyThreads(name), patience_s
        self._former: asyncio.Future[Any] | None = None
        self._late = False

    @property
    def hangs(self) -> bool:
        """Whether the last piece of work took too long and has not come back yet."""
        return self._late and self._former is not None and not self._former.done()

    async def run(self, work: Callable[[], T], *, patience_s: float | None = None) -> T:
        """What the work returns or raises.

        Raises:
            TimeoutError: it takes too long, or the former one still does; work that was begun goes on unheard.
        """
        try:
            async with asyncio.timeout(self._patience_s if patience_s is None else patience_s):
                if self._former is not None:
                    await asyncio.wait({self._former})
                self._late = False
                # By way of the loop, so that one with a time of its own may do it at once.
                begun = asyncio.get_running_loop().run_in_executor(self._threads, work)
                begun.add_done_callback(_heard)
                self._former = begun
                return await asyncio.shield(begun)
        except TimeoutError:
            self._late = True
            raise


def _heard(future: asyncio.Future[Any]) -> None:
    """An error that comes when nobody waits any more is no news."""
    if not future.cancelled():
        future.exception()


class _LonelyThreads(Executor):
    """A thread for each piece of work, which ends with the program whatever it does."""

    def __init__(self, name: str) -> None:
        self._name = name

    def submit(self, work: Callable[..., T], /, *args: Any, **named: Any) -> Future[T]:
        """Begins at once."""
        future: Future[T] = Future()

        def do() -> None:
            future.set_running_or_notify_cancel()
            try:
                result = work(*args, **named)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        threading.Thread(target=do, name=self._name, daemon=True).start()
        return future
