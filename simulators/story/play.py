"""Plays the story from an empty directory to the last step."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path

from simulators.child import free_ports
from simulators.province import open_province
from simulators.story import broadcast, emergency, intruder, office
from simulators.story.material import speech_file
from simulators.story.stage import CUT, Stage, addresses_for, open_devices, open_stage, settled
from simulators.story.steps import StepFailedError, Steps


async def play(steps: Steps, data: Path, *, audio: Path | None = None, broker: str | None = None) -> None:
    """Plays it.

    Args:
        data: an empty directory.
        audio: a file in any common format; else speech is made on the spot.
        broker: an outside broker; else the embedded one.
    """
    try:
        await _play(steps, data, audio=audio, broker=broker)
    except StepFailedError:
        pass


async def _play(steps: Steps, data: Path, *, audio: Path | None, broker: str | None) -> None:
    making = asyncio.ensure_future(speech_file(data))
    addresses = addresses_for(free_ports(4), broker=broker)
    async with AsyncExitStack() as stack:
        async with steps.step("offices_open"):
            province = await stack.enter_async_context(open_province(data / "province", addresses))
        async with steps.step("devices_start"):
            village = await stack.enter_async_context(open_devices(province))
            broadcast.let_foreign_station_in(village)
            await settled(village)
        async with steps.step("sign_in"):
            stage = await stack.enter_async_context(open_stage(province, village))
        await _chapters(steps, stage, audio=audio, speech=await making)


async def _chapters(steps: Steps, stage: Stage, *, audio: Path | None, speech: Path) -> None:
    library = await office.fill_library(steps, stage, audio=audio, speech=speech)
    await office.sign_first_rules(steps, stage)
    older = await intruder.schedule_in_force(stage, CUT)
    plan = await office.plan_evening(steps, stage, library)
    await office.delivered(steps, stage)
    await _together(
        broadcast.programmes(steps, stage, plan),
        broadcast.storm(steps, stage, plan),
        broadcast.power_cut(steps, stage, plan),
        broadcast.fm_relay(steps, stage, plan),
        broadcast.foreign_station(steps, stage, plan),
        emergency.quiet_hours(steps, stage, plan),
        intruder.intrude(steps, stage, older=older),
    )


async def _together(*chapters: Coroutine[None, None, None]) -> None:
    """All chapters to their end, also when one of them goes wrong."""
    ended = await asyncio.gather(*chapters, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException) and not isinstance(one, StepFailedError):
            raise one
