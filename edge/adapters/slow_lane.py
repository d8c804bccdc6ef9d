"""Blocking work on a thing that may never answer, such as a stick: the agent waits for a while, then goes on.

A read from a dying stick may hang in the kernel for ever, and no thread can be stopped from outside. So each piece of
work has a thread of its own that nobody waits for at the end of the program, and while one hangs no other is begun.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

T = TypeVar("T")

PATIENCE_S: Final = 15.0


class SlowLane:
    """One piece of work at a time."""

    def __init__(self, name: str, *, patience_s: float = PATIENCE_S) -> None:
        self._name, self._patience_s = name, patience_s
        self._former: asyncio.Future[None] | None = None
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
                    await asyncio.shield(self._former)
                self._late = False
                return await self._begin(work)
        except TimeoutError:
            self._late = True
            raise

    def _begin(self, work: Callable[[], T]) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        result, over = loop.create_future(), loop.create_future()
        self._former = over

        def do() -> None:
            try:
                settle = partial(_settle, result, value=work())
            except BaseException as error:
                settle = partial(_settle, result, error=error)
            # The loop may be closed by the time a hanging stick comes back.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle)
                loop.call_soon_threadsafe(partial(_settle, over))

        threading.Thread(target=do, name=self._name, daemon=True).start()
        return result


def _settle(future: asyncio.Future[Any], *, value: object = None, error: BaseException | None = None) -> None:
    """Tells whoever still waits."""
    if future.done():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
