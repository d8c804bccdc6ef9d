"""An event loop without file descriptors and without waiting: it jumps from one instant to the next.

Nothing here asks the operating system for anything, so a run is as fast as its work and the same on any machine.
Handles run in the order of their times, and of their making where the times are equal.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextvars import Context, ContextVar
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START_S: Final = 1000.0
OWNER: Final[ContextVar[str]] = ContextVar("owner")
"""Whose a task is: a process that can be stopped and go on."""
_CANCELLED_MAX: Final = 256


class WorldLoop(asyncio.AbstractEventLoop):
    """Runs tasks and timers, nothing else: no sockets, no threads, no signals.

    Attributes:
        turns: how many handles have run.
    """

    def __init__(self) -> None:
        self._now_s = START_S
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = self._dead = self.turns = 0
        self._running = self._closed = self._stopping = False
        self._held: dict[str, list[asyncio.Handle]] = {}
        self._handle_exception: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None = None

    def time(self) -> float:
        """Virtual seconds."""
        return self._now_s

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """See `asyncio.AbstractEventLoop`."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """See `asyncio.AbstractEventLoop`."""
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """See `asyncio.AbstractEventLoop`."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        handle._scheduled = True  # type: ignore[attr-defined]  # so that its cancellation is told, as in BaseEventLoop
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Dead timers are swept out before they fill the heap."""
        self._dead += 1
        if self._dead > _CANCELLED_MAX and self._dead * 2 > len(self._timers):
            self._timers = [one for one in self._timers if not one[2].cancelled()]
            heapq.heapify(self._timers)
            self._dead = 0

    def create_future(self) -> asyncio.Future[Any]:
        """See `asyncio.AbstractEventLoop`."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """See `asyncio.AbstractEventLoop`."""
        return asyncio.Task(coro, loop=self, name=None if name is None else str(name), context=context)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Runs the function now: a thread's speed may not be part of the outcome."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def run_until_complete(self, future: Any) -> Any:
        """Runs until it is done; raises RuntimeError when nothing is left that could finish it."""
        task = asyncio.ensure_future(future, loop=self)
        self._run(until=task.done)
        if not task.done():
            task.cancel()
            self._run(until=task.done)
            raise RuntimeError("everything waits for something that never comes")
        return task.result()

    def run_forever(self) -> None:
        """Runs until `stop`, or until nothing is left to do."""
        self._run(until=lambda: False)

    def _run(self, *, until: Callable[[], bool]) -> None:
        self._running, self._stopping = True, False
        former = events._get_running_loop()
        events._set_running_loop(self)
        try:
            while not (until() or self._stopping) and self._turn():
                pass
        finally:
            self._running = False
            events._set_running_loop(former)

    def _turn(self) -> bool:
        """One handle; False when there is none."""
        ready = self._ready
        while not ready:
            if not self._timers:
                return False
            when, _, timer = heapq.heappop(self._timers)
            if timer.cancelled():
                self._dead = max(0, self._dead - 1)
                continue
            timer._scheduled = False  # type: ignore[attr-defined]
            self._now_s = max(self._now_s, when)
            ready.append(timer)
        handle = ready.popleft()
        if not handle.cancelled() and not (self._held and self._holds(handle)):
            self.turns += 1
            handle._run()
        return True

    def hold(self, owner: str) -> None:
        """The tasks of a process stand still, as after SIGSTOP; what comes for them waits."""
        self._held.setdefault(owner, [])

    def release(self, owner: str) -> None:
        """They go on where they stood."""
        self._ready.extend(self._held.pop(owner, ()))

    def _holds(self, handle: asyncio.Handle) -> bool:
        callback: Any = handle._callback  # type: ignore[attr-defined]
        if not isinstance(getattr(callback, "__self__", None), asyncio.Task):
            return False
        waiting = self._held.get(handle._context.get(OWNER, ""))  # type: ignore[attr-defined]
        if waiting is None:
            return False
        waiting.append(handle)
        return True

    def stop(self) -> None:
        """Ends the run after the present handle."""
        self._stopping = True

    def is_running(self) -> bool:
        """Whether a run is under way."""
        return self._running

    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def close(self) -> None:
        """Forgets what waits."""
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    async def shutdown_asyncgens(self) -> None:
        """Nothing is kept track of."""

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is none."""

    def get_debug(self) -> bool:
        """Never."""
        return False

    def set_debug(self, enabled: bool) -> None:
        """Is not wanted."""

    def set_exception_handler(self, handler: Any) -> None:
        """Who is told of what nobody caught."""
        self._handle_exception = handler

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What nobody caught is a fault of the world or of the agent: it is never lost."""
        if self._handle_exception is not None:
            self._handle_exception(self, context)
        else:
            raise RuntimeError(context.get("message", "uncaught")) from context.get("exception")


def new_loop() -> WorldLoop:
    """A loop at its beginning; what it lacks (sockets, threads, signals) raises NotImplementedError."""
    return WorldLoop()  # type: ignore[abstract]
