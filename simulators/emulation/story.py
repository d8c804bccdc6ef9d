"""The main story with one of its six devices as an emulated computer, and the chapters in which this one plays.

Nothing that is judged is relaxed. Other than in `script/run --check` is what a computer takes that really boots: it
is waited for, and the programme in which its plug is pulled is longer. The other five devices obey and report without
making samples, so that the emulated one has this machine's processors for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, cast

from protocol.envelope import Envelope
from protocol.units import UnitPath
from simulators.air import spoken_programmes
from simulators.child import free_ports
from simulators.device import SimDevice
from simulators.emulation.device import EmulatedDevice
from simulators.emulation.image_chapter import image, lost_data, power_and_watchdog
from simulators.emulation.time_server import open_time_server
from simulators.province import Province, open_province
from simulators.recording import person_talking
from simulators.story import broadcast, emergency, intruder, office
from simulators.story import stage as stage_places
from simulators.story.material import LONG_MS, speech_file
from simulators.story.stage import CUT, PLACES, POWER, Stage, addresses_for, open_stage, settled
from simulators.story.steps import StepFailedError, Steps
from simulators.surroundings import Enrolled
from simulators.village import Village, open_village

LONG_FOR_POWER_MS: Final = 300_000
"""Two interruptions, one of them by a boot, and 30 s that must remain."""
_BACK_AFTER_MS: Final = 12_000
"""A player's child takes up to eight seconds to begin here; on a board it is back in one."""
_SETTLED_S: Final = 120.0


async def play(steps: Steps, data: Path, *, built: Path, place: str) -> None:
    """Plays it with the device of `place` emulated."""
    try:
        await _play(steps, data, built=built, place=place)
    except StepFailedError:
        pass


async def _play(steps: Steps, data: Path, *, built: Path, place: str) -> None:
    long_ms = LONG_FOR_POWER_MS if place == POWER else LONG_MS
    making = asyncio.ensure_future(speech_file(data, long_ms=long_ms))
    async with AsyncExitStack() as stack:
        async with steps.step("offices_open"):
            province = await stack.enter_async_context(open_province(data / "province", addresses_for(free_ports(4))))
        async with steps.step("devices_start") as figures:
            opened = open_devices(province, built=built, place=place)
            village, emulated, figures["ready_s"] = await stack.enter_async_context(opened)
            broadcast.let_foreign_station_in(village)
            await settled(village, within_s=_SETTLED_S)
            figures["clock_error_ms"] = round(emulated.board.clock_error_ms, 2)
        async with steps.step("sign_in"):
            stage = await stack.enter_async_context(open_stage(province, village))
        stack.push_async_callback(emulated.keep_journal)
        await image(steps, emulated)
        await _chapters(steps, stage, emulated, speech=await making)
        if place == POWER:
            await lost_data(steps, stage, emulated)


async def _chapters(steps: Steps, stage: Stage, emulated: EmulatedDevice, *, speech: Path) -> None:
    library = await office.fill_library(steps, stage, audio=None, speech=speech)
    await office.sign_first_rules(steps, stage)
    older = await intruder.schedule_in_force(stage, CUT)
    plan = await office.plan_evening(steps, stage, library)
    await office.delivered(steps, stage)
    await _together(*_chapters_of(emulated, steps, stage, plan, older))


def _chapters_of(
    emulated: EmulatedDevice, steps: Steps, stage: Stage, plan: office.Plan, older: Envelope
) -> list[Coroutine[None, None, None]]:
    """What is played with this device."""
    match emulated.place:
        case stage_places.MAIN:
            return [broadcast.programmes(steps, stage, plan)]
        case stage_places.CUT:
            storm = broadcast.storm(steps, stage, plan, back_after_ms=_BACK_AFTER_MS)
            return [storm, intruder.intrude(steps, stage, older=older)]
        case stage_places.POWER:
            return [power_and_watchdog(steps, stage, plan, emulated)]
        case stage_places.LACKING:
            return [broadcast.fm_relay(steps, stage, plan)]
        case stage_places.FOREIGN:
            return [broadcast.foreign_station(steps, stage, plan)]
        case _:
            return [emergency.quiet_hours(steps, stage, plan)]


async def _together(*chapters: Coroutine[None, None, None]) -> None:
    """All chapters to their end, also when one of them goes wrong."""
    for one in await asyncio.gather(*chapters, return_exceptions=True):
        if isinstance(one, BaseException) and not isinstance(one, StepFailedError):
            raise one


@asynccontextmanager
async def open_devices(
    province: Province, *, built: Path, place: str
) -> AsyncIterator[tuple[Village, EmulatedDevice, float]]:
    """The story's devices, one of them emulated, and the seconds from its power to READY."""
    around = province.surroundings(heartbeat_ms=1000, keepalive_s=3)
    cast_of_story = [
        Enrolled(one.id, UnitPath(one.place), one.name, one.token, full_sound=one.place == place)
        for one in province.demo.devices
        if one.place in PLACES
    ]
    chosen = next(one for one in cast_of_story if one.place == place)
    async with AsyncExitStack() as stack:
        time_port = await stack.enter_async_context(open_time_server())
        others = [one for one in cast_of_story if one is not chosen]
        village = await stack.enter_async_context(open_village(others, around))
        village.programmes = await spoken_programmes()
        emulated = EmulatedDevice(
            chosen, around, programmes=village.programmes, built=built, recording=await person_talking()
        )
        village.devices[chosen.device] = cast(SimDevice, emulated)
        # The village closes all it has, also one that never came up.
        ready_s = await emulated.open(time_port=time_port, spare_port=free_ports(1)[0])
        yield village, emulated, round(ready_s, 1)
