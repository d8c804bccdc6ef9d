"""An event loop in which waiting costs nothing: when every task waits for a time, that time is now.

A minute of sound is rendered and judged in a fraction of a second, and always in the same way: work for a thread is
done at once, in the loop's own thread, so no thread's speed is part of the outcome. Sockets and child processes work,
and while one of them has something to say time stands still.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own, that starts at a thousand seconds."""

    def __init__(self) -> None:
        self._virtual_s = 1000.0
        self._turns = 0
        super().__init__(_JumpingSelector(self._jump))

    @property
    def turns(self) -> int:
        """How often the loop has looked for work: a measure of what idling costs."""
        return self._turns

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Runs the function now."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _jump(self, seconds: float) -> None:
        self._turns += 1
        self._virtual_s += seconds


class _JumpingSelector(selectors.BaseSelector):
    """Asks the real selector without waiting; when it has nothing, time jumps instead."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        self._real = selectors.DefaultSelector()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(None if timeout is None else 0)
        self._jump(0.0 if ready or timeout is None else max(0.0, timeout))
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map() or {}
