"""Hands the guardian its plan, and again whenever it turns out not to have it.

The guardian refuses every number but a higher one. An agent whose disk was lost counts from the beginning, and its
plan must not be refused for that: it goes under the next number after the one that the guardian tells.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from edge.core.guarding_plan import GuardingPlan
from edge.ports import CardLostError, Guardian
from hardware.interfaces import GuardPlan, GuardStation, GuardWindow

_AGAIN_S: Final = 5.0
_LOOK_S: Final = 30.0
_ARM_S_MAX: Final = 20.0
_log = logging.getLogger(__name__)


class Arming:
    """`run` hands plans over until cancelled; `arm` names the newest. Nobody waits for a guardian that is away."""

    def __init__(self, guardian: Guardian | None, *, again_s: float = _AGAIN_S, look_s: float = _LOOK_S) -> None:
        self._guardian, self._again_s, self._look_s = guardian, again_s, look_s
        self._plan: GuardingPlan | None = None
        self._held: GuardPlan | None = None
        self._changed = asyncio.Event()
        self._failing = False

    def arm(self, plan: GuardingPlan) -> None:
        """From now on this plan."""
        self._plan = plan
        self._changed.set()

    async def run(self) -> None:
        """Works for ever; ends at once on a board without a guardian."""
        while self._guardian is not None:
            self._changed.clear()
            if self._plan is not None and not self._is_held(self._guardian, self._plan):
                await self._hand_over(self._guardian, self._plan)
            await self._pause(self._again_s if self._held is None else self._look_s)

    def _is_held(self, guardian: Guardian, plan: GuardingPlan) -> bool:
        """It took the plan, and has not said since that it holds another one."""
        state, held = guardian.state(), self._held
        if held is None or held != board_plan(plan, version=held.version):
            return False
        return state is None or state.plan_version == held.version

    async def _hand_over(self, guardian: Guardian, plan: GuardingPlan) -> None:
        self._held = None
        state = guardian.state()
        version = plan.version if state is None else max(plan.version, state.plan_version + 1)
        made = board_plan(plan, version=version)
        try:
            async with asyncio.timeout(_ARM_S_MAX):
                await guardian.arm(made)
        except (CardLostError, TimeoutError) as error:
            level = logging.DEBUG if self._failing else logging.WARNING
            _log.log(level, "the guardian does not take its plan: %s", error or "no answer")
            self._failing = True
        else:
            self._held, self._failing = made, False

    async def _pause(self, duration_s: float) -> None:
        try:
            async with asyncio.timeout(duration_s):
                await self._changed.wait()
        except TimeoutError:
            pass


def board_plan(plan: GuardingPlan, *, version: int | None = None) -> GuardPlan:
    """The plan as the board takes it, under another number than its own if one is given."""
    return GuardPlan(
        plan.version if version is None else version,
        tuple(GuardWindow(one.begin, one.end) for one in plan.windows),
        tuple(GuardStation(one.frequency_khz, one.pi) for one in plan.stations),
        plan.rssi_floor_dbuv,
        plan.session_ms_max,
    )
