"""The worlds' lines: what passes, how late, and who is told when nothing does."""

from __future__ import annotations

import asyncio
import random

import pytest

from simulators.world.line import CUT, HALF_OPEN, Line, Trouble
from tests.simulators.world.virtual import now_s, run


def line() -> Line:
    return Line(random.Random(1))


def test_bytes_of_a_connection_keep_their_order() -> None:
    async def story() -> list[int]:
        came: list[int] = []
        one = line()
        one.begin(Trouble(jitter_ms=5000))
        wire = one.open("mqtt", lambda: None)
        for number in range(50):
            wire.send("up", lambda number=number: came.append(number))  # type: ignore[misc]
        await asyncio.sleep(10)
        return came

    assert run(story()) == list(range(50))


def test_hole_delays_what_tcp_keeps() -> None:
    async def story() -> tuple[list[float], bool]:
        came: list[float] = []
        one = line()
        wire = one.open("mqtt", lambda: None)
        one.begin(HALF_OPEN)
        wire.send("up", lambda: came.append(now_s()))
        wire.send("up", lambda: came.append(now_s()))
        began_s = now_s()
        await asyncio.sleep(20)
        assert not came
        one.end(HALF_OPEN)
        await asyncio.sleep(60)
        return [at - began_s for at in came], wire.open

    came, still_open = run(story())
    assert len(came) == 2
    assert 20 <= came[0] <= 40
    assert still_open


def test_cut_is_told_at_both_ends() -> None:
    async def story() -> tuple[list[str], bool]:
        told: list[str] = []
        one = line()
        wire = one.open("mqtt", lambda: told.append("torn"))
        wire.send("down", lambda: told.append("arrived"))
        one.begin(CUT)
        await asyncio.sleep(60)
        return told, wire.open

    assert run(story()) == (["torn"], False)


def test_one_way_passes_the_other_way() -> None:
    one_way = Trouble(up=True)

    async def story() -> list[str]:
        came: list[str] = []
        one = line()
        one.begin(one_way)
        wire = one.open("mqtt", lambda: None)
        wire.send("up", lambda: came.append("up"))
        wire.send("down", lambda: came.append("down"))
        await asyncio.sleep(60)
        return came

    assert run(story()) == ["down"]


def test_lost_packets_come_late_or_end_the_connection() -> None:
    async def story(loss: float) -> tuple[float, int]:
        torn: list[int] = []
        one = line()
        one.begin(Trouble(loss=loss))
        latest = 0.0
        for _ in range(200):
            at = one.arrival("up", 100)
            torn += [1] if at is None else []
            latest = max(latest, (at or now_s()) - now_s())
        return latest, len(torn)

    latest_s, torn = run(story(0.2))
    assert latest_s > 0.3
    assert torn == 0
    assert run(story(0.8))[1] > 0


def test_thin_line_takes_its_time() -> None:
    async def story() -> float:
        one = line()
        one.begin(Trouble(rate_bytes_s=8000))
        at = [one.arrival("down", 8000) for _ in range(10)][-1]
        assert at is not None
        return at - now_s()

    assert 10 <= run(story()) < 11


def test_trouble_of_one_port_leaves_the_other() -> None:
    async def story() -> tuple[bool, bool]:
        one = line()
        one.begin(Trouble(up=True, down=True, port="mqtt"))
        return one.passes(port="mqtt"), one.passes(port="https")

    assert run(story()) == (False, True)


def test_end_of_one_trouble_leaves_another() -> None:
    async def story() -> list[bool]:
        one, found = line(), []
        one.begin(CUT)
        one.begin(HALF_OPEN)
        for trouble in (CUT, HALF_OPEN):
            one.end(trouble)
            found.append(one.passes())
        return found

    assert run(story()) == [False, True]


def test_connection_is_asked_for_again() -> None:
    async def story() -> float:
        one, began_s = line(), now_s()
        one.begin(HALF_OPEN)
        asyncio.get_running_loop().call_later(2, one.end, HALF_OPEN)
        await one.reach("mqtt", timeout_s=20)
        return now_s() - began_s

    assert 3 <= run(story()) < 3.5


@pytest.mark.parametrize(("trouble", "error", "after_s"), [(CUT, OSError, 1), (HALF_OPEN, TimeoutError, 20)])
def test_no_way_is_told_by_its_kind(trouble: Trouble, error: type[Exception], after_s: float) -> None:
    async def story() -> float:
        one, began_s = line(), now_s()
        one.begin(trouble)
        with pytest.raises(error):
            await one.reach("mqtt", timeout_s=20)
        return now_s() - began_s

    assert run(story()) <= after_s
