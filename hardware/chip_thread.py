"""Talks to chips in one thread of their own: a bus that hangs costs whoever waits for a chip, and nobody else.

asyncio's own threads are everybody's: also files are written and names resolved there, and there are as few as eight.
Messages on a bus follow one another anyway, so one thread loses nothing, and a call that was given up ends before the
next begins: a tuner that is reset is not being read by somebody at the same time.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from queue import SimpleQueue
from typing import Any, Final, ParamSpec, TypeVar

from hardware.errors import CardLostError
from hardware.i18n import N_

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE_S: Final = 15.0
"""The kernel gives a message up after a second; `pinctrl`, twice in one step, gets five."""


class BusHungError(CardLostError, OSError):
    """A message on the bus does not come to an end."""


class ChipThread(Executor):
    """One thread that no end of the program waits for; begun at the first call.

    Args:
        patience_s: after which a call is given up.
    """

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._busy_since_s: float | None = None

    async def run(self, call: Callable[[], T]) -> T:
        """What the call returns or raises; cancelled before its turn it is not made.

        Raises:
            BusHungError: it takes too long, or one before it still does.
        """
        since_s = self._busy_since_s
        if since_s is not None and time.monotonic() - since_s > self._patience_s:
            raise BusHungError(N_("the bus hangs"))
        timer = asyncio.timeout(self._patience_s)
        try:
            async with timer:
                return await asyncio.get_running_loop().run_in_executor(self, call)
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise BusHungError(
                N_("the bus has not answered for %(limit)s s"), limit=f"{self._patience_s:g}"
            ) from error

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `concurrent.futures.Executor`."""
        future: Future[T] = Future()
        self._jobs.put((future, partial(fn, *args, **kwargs)))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="chips", daemon=True)
            self._thread.start()
        return future

    def _work(self) -> None:
        while True:
            future, call = self._jobs.get()
            if not future.set_running_or_notify_cancel():
                continue
            self._busy_since_s = time.monotonic()
            try:
                result = call()
            except BaseException as error:
                self._busy_since_s = None
                future.set_exception(error)
            else:
                self._busy_since_s = None
                future.set_result(result)
            del future, call


_CHIPS: Final = ChipThread()


async def in_chip_thread(call: Callable[[], T]) -> T:
    """Makes a call that talks to chips. Raises BusHungError, and whatever the call raises."""
    return await _CHIPS.run(call)
