"""The guardian gets its plan, also when it was away or has lost it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.arming import Arming, board_plan
from edge.core.guarding_plan import GuardedStation, GuardedWindow, GuardingPlan
from edge.ports import CardLostError
from hardware.interfaces import GuardianState, GuardPlan, GuardStation, GuardWindow
from protocol.clock import WallMs

PLAN = GuardingPlan(7, (GuardedWindow(WallMs(1), WallMs(2)),), (GuardedStation(97_100, "A1B2"),), 35, 60_000)


class Pocket:
    """A guardian that can be pulled out, and forgets when it is told to."""

    def __init__(self) -> None:
        self.there = True
        self.hangs = False
        self.held: GuardPlan | None = None
        self.armed = 0

    async def beat(self, wall_ms: int | None) -> None:
        """Not asked here."""

    async def arm(self, plan: GuardPlan) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if not self.there:
            raise CardLostError("no guardian")
        if self.held is not None and plan.version <= self.held.version:
            raise CardLostError("an older plan than the one it holds")
        self.held = plan
        self.armed += 1

    def state(self) -> GuardianState | None:
        version = 0 if self.held is None else self.held.version
        return GuardianState("computer", version, 1, "power") if self.there else None


@pytest.fixture
async def pocket() -> Pocket:
    return Pocket()


@pytest.fixture
async def arming(pocket: Pocket) -> AsyncIterator[Arming]:
    made = Arming(pocket, again_s=0.01, look_s=0.02)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    await asyncio.wait([running])


async def test_plan_is_handed_over_once(arming: Arming, pocket: Pocket) -> None:
    arming.arm(PLAN)
    await asyncio.sleep(0.1)
    assert pocket.held == GuardPlan(7, (GuardWindow(1, 2),), (GuardStation(97_100, "A1B2"),), 35, 60_000)
    assert pocket.armed == 1


async def test_newer_plan_follows(arming: Arming, pocket: Pocket) -> None:
    arming.arm(PLAN)
    await asyncio.sleep(0.02)
    arming.arm(GuardingPlan(8))
    await asyncio.sleep(0.02)
    assert pocket.held == board_plan(GuardingPlan(8))


async def test_guardian_that_was_away_gets_it_when_it_is_back(arming: Arming, pocket: Pocket) -> None:
    pocket.there = False
    arming.arm(PLAN)
    await asyncio.sleep(0.05)
    assert pocket.held is None
    pocket.there = True
    await asyncio.sleep(0.05)
    assert pocket.held == board_plan(PLAN)


async def test_guardian_that_lost_its_plan_gets_it_again(arming: Arming, pocket: Pocket) -> None:
    arming.arm(PLAN)
    await asyncio.sleep(0.02)
    pocket.held = None
    await asyncio.sleep(0.1)
    assert pocket.held == board_plan(PLAN)


async def test_agent_that_lost_its_disk_is_not_refused_for_its_low_numbers(arming: Arming, pocket: Pocket) -> None:
    pocket.held = board_plan(PLAN)
    arming.arm(GuardingPlan(1))
    await asyncio.sleep(0.1)
    assert pocket.held == board_plan(GuardingPlan(8)) and pocket.armed == 1
    arming.arm(GuardingPlan(2, PLAN.windows))
    await asyncio.sleep(0.1)
    assert pocket.held == board_plan(GuardingPlan(9, PLAN.windows)) and pocket.armed == 2


async def test_board_without_a_guardian_has_nothing_to_do() -> None:
    arming = Arming(None)
    arming.arm(PLAN)
    await arming.run()
