"""The loop of made-up worlds: virtual time, one order, nothing from the operating system."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from simulators.world.loop import START_S, new_loop

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    loop = new_loop()
    try:
        result: T = loop.run_until_complete(work)
        return result
    finally:
        loop.close()


def test_year_passes_at_once() -> None:
    async def year() -> float:
        await asyncio.sleep(365 * 86_400)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run(year()) == START_S + 365 * 86_400
    assert time.monotonic() - began < 5


def test_same_instant_keeps_the_order_of_asking() -> None:
    heard: list[int] = []

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        for number in (3, 1, 2):
            loop.call_later(5, heard.append, number)
        loop.call_later(4, heard.append, 0)
        await asyncio.sleep(6)

    run(ask())
    assert heard == [0, 3, 1, 2]


def test_time_outs_events_and_queues_work() -> None:
    async def use() -> str:
        queue: asyncio.Queue[str] = asyncio.Queue()
        asyncio.get_running_loop().call_later(10, queue.put_nowait, "came")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(9.9):
                await queue.get()
        async with asyncio.timeout(1), asyncio.TaskGroup() as group:
            got = group.create_task(queue.get())
        return got.result()

    assert run(use()) == "came"


def test_cancelled_timers_do_not_pile_up() -> None:
    async def busy() -> int:
        loop = asyncio.get_running_loop()
        for _ in range(20_000):
            loop.call_later(1e6, print).cancel()
        return len(loop._timers)  # type: ignore[attr-defined]

    assert run(busy()) < 2000


def test_cancelled_timer_does_not_move_time() -> None:
    async def leave() -> float:
        loop = asyncio.get_running_loop()
        loop.call_later(50, print).cancel()
        await asyncio.sleep(100)
        return loop.time()

    assert run(leave()) == START_S + 100


def test_waiting_for_nothing_is_an_error() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="never comes"):
        run(wait())


def test_work_for_a_thread_is_done_now() -> None:
    async def work() -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, lambda: 7), loop.time()

    assert run(work()) == (7, START_S)


def test_what_nobody_caught_is_not_lost() -> None:
    told: list[dict[str, Any]] = []

    async def fail() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(1)

    run(fail())
    assert "ZeroDivisionError" in repr(told[0].get("exception"))


def test_sockets_are_refused() -> None:
    async def listen() -> None:
        await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)

    with pytest.raises(NotImplementedError):
        run(listen())
