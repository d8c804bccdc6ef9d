"""What every Guardian promises, in the order in which a life brings it about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

import pytest

from hardware.errors import CardLostError
from hardware.interfaces import Guardian, GuardianState, GuardPlan, GuardStation, GuardWindow
from simulators.fm_station import SimEther, SimStation
from simulators.guardian_horn import Through
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from tests.contracts.guardian.pulse import Pulse

STATION_KHZ = 99_900
PI = "A201"
HOUR_MS = 3_600_000
WALL_MS = 1_800_000_000_000


def ether() -> SimEther:
    """One station."""
    return SimEther(SimStation(STATION_KHZ, melody(2, duration_ms=5000), pi=PI, ps="DAI XA"))


class Pole(Protocol):
    """What is done to the guardian from outside."""

    def through(self) -> Through:
        """What its relay lets through, seen from outside."""
        ...

    def break_off(self) -> None:
        """The guardian is gone."""
        ...

    def mend(self) -> None:
        """It is there again, started anew."""
        ...


@dataclass
class Stage:
    """A guardian with a tuner, its clock, its computer's pulse and its pole."""

    guardian: Guardian
    clock: LoopClock
    pulse: Pulse
    pole: Pole

    def plan(self, version: int = 1, *, begin_ms: int = -HOUR_MS, end_ms: int = HOUR_MS) -> GuardPlan:
        now = self.clock.now().wall
        return GuardPlan(
            version, (GuardWindow(now + begin_ms, now + end_ms),), (GuardStation(STATION_KHZ, PI),), 30, HOUR_MS
        )

    async def begin(self) -> None:
        """The computer lives for three seconds."""
        self.pulse.start()
        await asyncio.sleep(3)

    def told(self) -> GuardianState:
        state = self.guardian.state()
        assert state is not None
        return state


class GuardianContract:
    """Subclasses give the stage: the guardian has just got its power, the computer has not begun to beat."""

    @pytest.fixture
    async def stage(self) -> AsyncIterator[Stage]:
        raise NotImplementedError
        yield

    async def test_nobody_is_heard_at_first(self, stage: Stage) -> None:
        assert stage.pole.through() is Through.SILENCE
        await asyncio.sleep(0.4)
        assert stage.pole.through() is Through.SILENCE

    async def test_beating_computer_gets_the_relay(self, stage: Stage) -> None:
        await stage.begin()
        assert stage.pole.through() is Through.COMPUTER
        assert stage.told() == GuardianState("computer", 0, 1, "power")

    async def test_silent_computer_loses_the_relay(self, stage: Stage) -> None:
        await stage.begin()
        await stage.pulse.stop()
        await asyncio.sleep(2.4)
        assert stage.pole.through() is Through.COMPUTER
        await asyncio.sleep(0.7)
        assert stage.pole.through() is Through.SILENCE

    async def test_plan_is_held(self, stage: Stage) -> None:
        await stage.begin()
        await stage.guardian.arm(stage.plan(7))
        await asyncio.sleep(1)
        assert stage.told().plan_version == 7

    async def test_same_plan_again_is_fine(self, stage: Stage) -> None:
        await stage.begin()
        plan = stage.plan(7)
        await stage.guardian.arm(plan)
        await stage.guardian.arm(plan)

    async def test_older_plan_is_refused(self, stage: Stage) -> None:
        await stage.begin()
        await stage.guardian.arm(stage.plan(7))
        with pytest.raises(CardLostError, match="older"):
            await stage.guardian.arm(stage.plan(6, end_ms=2 * HOUR_MS))
        await asyncio.sleep(1)
        assert stage.told().plan_version == 7

    async def test_fm_in_a_window_while_the_computer_is_dead(self, stage: Stage) -> None:
        await stage.begin()
        await stage.guardian.arm(stage.plan())
        await stage.pulse.stop()
        await asyncio.sleep(8)
        assert stage.pole.through() is Through.FM

    async def test_silence_outside_the_windows(self, stage: Stage) -> None:
        await stage.begin()
        await stage.guardian.arm(stage.plan(begin_ms=HOUR_MS, end_ms=2 * HOUR_MS))
        await stage.pulse.stop()
        await asyncio.sleep(8)
        assert stage.pole.through() is Through.SILENCE

    async def test_silence_at_an_unknown_hour(self, stage: Stage) -> None:
        stage.pulse.wall_ms = lambda: None
        await stage.begin()
        await stage.guardian.arm(stage.plan())
        await stage.pulse.stop()
        await asyncio.sleep(8)
        assert stage.pole.through() is Through.SILENCE

    async def test_returning_computer_gets_the_relay_from_fm(self, stage: Stage) -> None:
        await stage.begin()
        await stage.guardian.arm(stage.plan())
        await stage.pulse.stop()
        await asyncio.sleep(8)
        stage.pulse.start()
        await asyncio.sleep(2)
        assert stage.pole.through() is Through.COMPUTER

    async def test_lie_about_the_hour_is_told(self, stage: Stage) -> None:
        await stage.begin()
        assert not stage.told().clock_refused
        stage.pulse.wall_ms = lambda: stage.clock.now().wall + 14 * HOUR_MS
        await asyncio.sleep(2)
        assert stage.told().clock_refused
        stage.pulse.wall_ms = lambda: stage.clock.now().wall
        await asyncio.sleep(2)
        assert not stage.told().clock_refused

    async def test_absent_guardian_says_so(self, stage: Stage) -> None:
        await stage.begin()
        stage.pole.break_off()
        await asyncio.sleep(5)
        assert stage.guardian.state() is None
        with pytest.raises(CardLostError):
            await stage.guardian.beat(None)
        with pytest.raises(CardLostError):
            await stage.guardian.arm(stage.plan())

    async def test_guardian_that_comes_back_knows_its_plan(self, stage: Stage) -> None:
        await stage.begin()
        await stage.guardian.arm(stage.plan(7))
        stage.pole.break_off()
        await asyncio.sleep(5)
        stage.pole.mend()
        await asyncio.sleep(6)
        assert stage.pole.through() is Through.COMPUTER
        assert stage.told() == GuardianState("computer", 7, 2, "power")
