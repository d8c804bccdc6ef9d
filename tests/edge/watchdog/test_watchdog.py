"""Who is fed while the agent lives, and who goes hungry when one of its loops hangs; in virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from edge.adapters.notify import Notify
from edge.disk import Disk
from edge.ports import CardLostError
from edge.vital import Organ, Vital
from edge.watchdog import TOUCH_S, keep_watch
from hardware.interfaces import GuardianState, GuardPlan

WALL_MS = 1_790_000_000_000


@dataclass
class Manager(Notify):
    """The service manager, as it counts."""

    said: list[str] = field(default_factory=list)
    watchdog_s: float | None = 10.0

    def _send(self, line: str) -> None:
        self.said.append(line)

    def proofs(self) -> int:
        """How often it was told that the agent lives."""
        return self.said.count("WATCHDOG=1")


@dataclass
class Heart:
    """A guardian that counts beats; `lost` and `jammed` are what may be wrong with its line."""

    beats: list[int | None] = field(default_factory=list)
    lost: bool = False
    jammed: bool = False

    async def beat(self, wall_ms: int | None) -> None:
        if self.lost:
            raise CardLostError("no such line")
        if self.jammed:
            await asyncio.Event().wait()
        self.beats.append(wall_ms)

    async def arm(self, plan: GuardPlan) -> None:
        """Not asked here."""

    def state(self) -> GuardianState | None:
        """Not asked here."""
        return None


@dataclass
class Scene:
    """An agent that is watched."""

    vital: Vital
    manager: Manager = field(default_factory=Manager)
    heart: Heart = field(default_factory=Heart)
    wall_ms: int | None = WALL_MS
    touches: int = 0

    def touch(self) -> None:
        """The disk's little work."""
        self.touches += 1


@asynccontextmanager
async def watched(*, disk_error: OSError | None = None) -> AsyncIterator[Scene]:
    """Keeps watch until the block ends."""
    scene = Scene(Vital(asyncio.get_running_loop().time))

    def touch() -> None:
        scene.touch()
        if disk_error is not None:
            raise disk_error

    watch = asyncio.create_task(
        keep_watch(
            scene.vital,
            Disk(None),
            scene.heart,
            wall_ms=lambda: scene.wall_ms,
            notify=scene.manager,
            touch=touch,
        )
    )
    try:
        yield scene
    finally:
        watch.cancel()
        await asyncio.wait([watch])


async def test_both_are_fed_while_all_is_well() -> None:
    async with watched() as scene:
        await asyncio.sleep(30)
    assert 60 <= len(scene.heart.beats) <= 62
    assert 9 <= scene.manager.proofs() <= 12, "about three times within its ten seconds"
    assert set(scene.heart.beats) == {WALL_MS}


async def test_time_nobody_agrees_on_is_not_passed_on() -> None:
    async with watched() as scene:
        scene.wall_ms = None
        await asyncio.sleep(1)
    assert set(scene.heart.beats) == {None}
    assert "STATUS=clock not agreed" in scene.manager.said


async def test_agreed_time_is_told_for_the_clock_chip() -> None:
    loop = asyncio.get_running_loop()
    manager = Manager()
    began_s = loop.time()
    watch = keep_watch(
        Vital(loop.time),
        Disk(None),
        None,
        wall_ms=lambda: WALL_MS + round((loop.time() - began_s) * 1000),
        notify=manager,
    )
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watch, 60)
    assert [one for one in manager.said if one.startswith("STATUS")] == [
        f"STATUS=clock agreed, boot at {WALL_MS - round(began_s * 1000)}"
    ], "the time goes on by itself, so it is told once"


@pytest.mark.parametrize("organ", list(Organ))
async def test_stuck_organ_starves_both(organ: Organ, caplog: pytest.LogCaptureFixture) -> None:
    async with watched() as scene:
        with caplog.at_level(logging.WARNING), scene.vital.busy(organ):
            await asyncio.sleep(25)
            beats, proofs = len(scene.heart.beats), scene.manager.proofs()
            await asyncio.sleep(60)
    assert (len(scene.heart.beats), scene.manager.proofs()) == (beats, proofs)
    assert [one.getMessage() for one in caplog.records] == [f"{organ} hangs; the watchdogs are not fed any more"]
    assert f"STATUS=hangs: {organ}" in scene.manager.said


async def test_organ_that_moves_again_is_fed_again(caplog: pytest.LogCaptureFixture) -> None:
    async with watched() as scene:
        with scene.vital.busy(Organ.SOUND):
            await asyncio.sleep(5)
        beats = len(scene.heart.beats)
        await asyncio.sleep(5)
        assert len(scene.heart.beats) >= beats + 9
    assert "sound moves again" in caplog.text


async def test_organ_that_is_busy_for_moments_starves_nobody() -> None:
    async with watched() as scene:
        for _ in range(1000):
            with scene.vital.busy(Organ.SOUND):
                await asyncio.sleep(0.02)
    assert len(scene.heart.beats) >= 39


async def test_lost_guardian_is_told_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    async with watched() as scene:
        scene.heart.lost = True
        await asyncio.sleep(30)
        scene.heart.lost = False
        await asyncio.sleep(2)
    assert scene.manager.proofs() >= 9
    assert len(scene.heart.beats) >= 3
    assert [one.levelno for one in caplog.records] == [logging.WARNING]


async def test_guardian_line_that_takes_no_bytes_starves_nobody_else() -> None:
    async with watched() as scene:
        scene.heart.jammed = True
        await asyncio.sleep(30)
    assert scene.manager.proofs() >= 9


async def test_disk_is_touched_seldom() -> None:
    async with watched() as scene:
        await asyncio.sleep(TOUCH_S * 3 + 1)
    assert scene.touches == 4


async def test_disk_that_refuses_starves_nobody() -> None:
    async with watched(disk_error=OSError(30, "read-only file system")) as scene:
        await asyncio.sleep(10)
    assert scene.manager.proofs() >= 3
    assert len(scene.heart.beats) >= 19


async def test_agent_without_guardian_and_manager_is_no_trouble() -> None:
    loop = asyncio.get_running_loop()
    watch = keep_watch(Vital(loop.time), Disk(None), None, wall_ms=lambda: None, notify=Notify())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(watch, 5)
