"""A driver that blocks holds nobody up for long."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hardware.alsa_lane import AlsaLane
from hardware.errors import CardLostError


async def test_calls_share_one_thread() -> None:
    lane = AlsaLane("card")
    names = {await lane.run(lambda: threading.current_thread().name) for _ in range(3)}
    assert names == {"card"}
    lane.close()


async def test_error_reaches_the_caller() -> None:
    lane = AlsaLane("card")

    def fail() -> None:
        raise CardLostError("gone")

    with pytest.raises(CardLostError, match="gone"):
        await lane.run(fail)
    assert await lane.run(lambda: 7) == 7
    lane.close()


async def test_hanging_call_is_given_up() -> None:
    lane, released = AlsaLane("card", patience_s=0.05), threading.Event()
    with pytest.raises(CardLostError, match="has not answered"):
        await lane.run(released.wait)
    assert await lane.run(lambda: "again") == "again"
    released.set()
    lane.close()


async def test_cancelled_call_ends_before_the_next() -> None:
    lane, order, begun, released = AlsaLane("card"), list[str](), asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow() -> None:
        loop.call_soon_threadsafe(begun.set)
        released.wait()
        order.append("slow")

    task = asyncio.create_task(lane.run(slow))
    await begun.wait()
    task.cancel()
    released.set()
    await lane.run(lambda: order.append("next"))
    assert order == ["slow", "next"]
    lane.close()


async def test_driver_that_hangs_all_night_does_not_use_up_the_threads() -> None:
    lane, released = AlsaLane("card", patience_s=0.01), threading.Event()
    before = threading.active_count()
    for _ in range(20):
        with pytest.raises(CardLostError, match="has not answered"):
            await lane.run(released.wait)
    assert threading.active_count() - before <= 3
    released.set()
    while threading.active_count() > before:
        await asyncio.sleep(0.005)
    assert await lane.run(lambda: "back") == "back"
    lane.close()


async def test_who_waited_behind_a_hanging_call_takes_nothing_from_who_comes_later() -> None:
    lane, released, order = AlsaLane("card", patience_s=0.1), threading.Event(), list[str]()
    hanging = asyncio.create_task(lane.run(released.wait, given_up=lambda: order.append("given up")))
    await asyncio.sleep(0.05)
    waiting = asyncio.create_task(lane.run(lambda: order.append("waiting"), given_up=lambda: order.append("twice")))
    await asyncio.wait([hanging])
    assert isinstance(hanging.exception(), CardLostError)
    first = await lane.run(threading.get_ident)
    await asyncio.wait([waiting])
    assert isinstance(waiting.exception(), CardLostError)
    assert await lane.run(threading.get_ident) == first
    released.set()
    while len(order) < 2:
        await asyncio.sleep(0.005)
    assert order == ["waiting", "given up"]
    lane.close()
