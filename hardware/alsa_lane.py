"""Calls into ALSA, one after the other, in a thread that nobody has to wait for.

A driver may block for as long as it likes, so none of its calls happens in the event loop. A call that takes longer
than any sound card may is given up: the card counts as lost, the thread is left to itself (it ends with the program,
or when the call comes back) and the next call gets a new one. A driver that hangs all night gets no more than
`_HUNG_MAX` threads: a card is looked for twice a second, and the machine's threads are everybody's.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from hardware.errors import CardLostError

T = TypeVar("T")

PATIENCE_S: Final = 3.0
_HUNG_MAX: Final = 3
_Job = tuple[Callable[[], Any], Future[Any]]


class DriverHungError(CardLostError):
    """The call was given up; what it holds must not be touched any more."""


class AlsaLane:
    """One thread, begun at the first call.

    Args:
        patience_s: after which a call is given up.
    """

    def __init__(self, name: str, *, patience_s: float = PATIENCE_S) -> None:
        self._name, self._patience_s = name, patience_s
        self._jobs: SimpleQueue[_Job | None] | None = None
        self._thread: threading.Thread | None = None
        self._hung: list[threading.Thread] = []

    async def run(self, call: Callable[[], T], *, given_up: Callable[[], object] = bool) -> T:
        """What the call returns or raises.

        Cancelling leaves the call to itself; the next one waits behind it.

        Args:
            given_up: made in the same thread should the call come back after all, and those that waited behind it.

        Raises:
            DriverHungError: it takes too long, or too many calls before it still hang.
        """
        future: Future[T] = Future()
        jobs = self._queue()
        jobs.put((call, future))
        answer = asyncio.wrap_future(future)
        answer.add_done_callback(_heard)
        try:
            async with asyncio.timeout(self._patience_s):
                return await asyncio.shield(answer)
        except TimeoutError as error:
            if self._jobs is jobs and self._thread is not None:  # else another has given it up already
                self._hung.append(self._thread)
                jobs.put((given_up, Future()))
                self.close()
            raise DriverHungError(f"the {self._name} has not answered for {self._patience_s:g} s") from error

    def leave(self, call: Callable[[], object]) -> None:
        """Has a call made behind those that wait, and waits for nothing."""
        if self._jobs is not None:
            self._jobs.put((call, Future()))

    def close(self) -> None:
        """Ends the thread after what it does now."""
        if self._jobs is not None:
            self._jobs.put(None)
            self._jobs = self._thread = None

    def _queue(self) -> SimpleQueue[_Job | None]:
        if self._jobs is None:
            self._hung = [one for one in self._hung if one.is_alive()]
            if len(self._hung) >= _HUNG_MAX:
                raise DriverHungError(f"the {self._name} has not answered in {len(self._hung)} tries")
            self._jobs = SimpleQueue()
            self._thread = threading.Thread(target=_work, args=(self._jobs,), name=self._name, daemon=True)
            self._thread.start()
        return self._jobs


def _heard(answer: asyncio.Future[Any]) -> None:
    """An error that comes when nobody waits any more is no news."""
    if not answer.cancelled():
        answer.exception()


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        call, future = job
        try:
            result = call()
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        del job, call, future
