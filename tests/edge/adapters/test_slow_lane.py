"""Work that hangs must not take the agent with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from edge.adapters.slow_lane import SlowLane
from simulators.virtual_loop import VirtualLoop


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Shut: whoever waits for it hangs."""
    made = threading.Event()
    yield made
    made.set()


def fail() -> None:
    raise PermissionError("no")


async def test_result_and_error_come_back() -> None:
    lane = SlowLane("test")
    assert await lane.run(lambda: 7) == 7
    with pytest.raises(PermissionError):
        await lane.run(fail)
    assert not lane.hangs


async def test_hanging_work_is_left(gate: threading.Event) -> None:
    lane = SlowLane("test", patience_s=0.02)
    with pytest.raises(TimeoutError):
        await lane.run(gate.wait)
    assert lane.hangs
    with pytest.raises(TimeoutError):
        await lane.run(lambda: pytest.fail("began beside the hanging one"))


async def test_lane_is_free_when_the_work_comes_back(gate: threading.Event) -> None:
    lane = SlowLane("test", patience_s=0.02)
    with pytest.raises(TimeoutError):
        await lane.run(gate.wait)
    gate.set()
    assert await lane.run(lambda: 7, patience_s=5) == 7
    assert not lane.hangs


async def test_work_that_nobody_waits_for_does_not_hang(gate: threading.Event) -> None:
    """A download that gives way to an urgent one: the urgent one waits for the same stick, not for the network."""
    lane = SlowLane("test", patience_s=5)
    first = asyncio.create_task(lane.run(gate.wait))
    await asyncio.sleep(0)
    first.cancel()
    second = asyncio.create_task(lane.run(lambda: 7))
    await asyncio.sleep(0)
    assert not lane.hangs
    gate.set()
    assert await second == 7


def test_program_ends_while_work_hangs(gate: threading.Event) -> None:
    async def try_it() -> None:
        with pytest.raises(TimeoutError):
            await SlowLane("test", patience_s=0.01).run(gate.wait)

    asyncio.run(try_it())
    hanging = next(one for one in threading.enumerate() if one.name == "test")
    assert hanging.daemon
    gate.set()
    hanging.join(5)
    assert not hanging.is_alive(), "a closed loop does not break it"


def test_in_a_loop_with_a_time_of_its_own() -> None:
    """Nothing depends on how fast a thread is."""

    async def try_it() -> int:
        return await SlowLane("test").run(lambda: 7)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        began_s = runner.get_loop().time()
        assert runner.run(try_it()) == 7
        assert runner.get_loop().time() == began_s
