"""Who looks after the parts: first findings, then changes, whatever a check does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from hardware.ads1115 import Ads1115
from hardware.ds3231 import ClockChipCheck, Ds3231
from hardware.errors import CardLostError
from hardware.fm_tuner import Si4703Tuner
from hardware.interfaces import Condition, Part
from hardware.line_check import LineCheck, LineLimits, PilotedAmplifier
from hardware.line_meter import LineMeter
from hardware.part_watch import Check, MeterCheck, PartWatch, TunerCheck
from hardware.power import PowerCheck
from hardware.si4703 import Si4703
from simulators.ads1115_chip import Ads1115Chip
from simulators.chip_air import ChipCapture, air_of
from simulators.ds3231_chip import Ds3231Chip
from simulators.fm_station import SimEther
from simulators.i2c_bus import SimI2cBus
from simulators.loop_clock import LoopClock
from simulators.si4703_chip import Si4703Chip
from simulators.speaker_line import SimSpeakerLine

VIRTUAL_TIME = True


class Told:
    """A check that says what it is told to."""

    def __init__(self, part: Part, *answers: Condition | Exception | None, period_s: float = 1.0) -> None:
        self.part, self.period_s = part, period_s
        self.answers = list(answers)
        self.looks = 0

    async def look(self) -> Condition | None:
        self.looks += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Hanging:
    part, period_s = Part.GUARDIAN, 1.0

    async def look(self) -> Condition | None:
        await asyncio.Event().wait()
        return None


def condition(part: Part, healthy: bool, detail: str = "") -> Condition:
    return Condition(part, healthy, detail)


@asynccontextmanager
async def findings(watch: PartWatch) -> AsyncIterator[list[Condition]]:
    """What a watch tells, as a list that grows."""
    found: list[Condition] = []

    async def collect() -> None:
        async with aclosing(watch.conditions()) as told:  # type: ignore[type-var]
            async for one in told:
                found.append(one)

    task = asyncio.create_task(collect())
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def found_within(seconds: float, *checks: Check) -> list[Condition]:
    async with findings(PartWatch(checks)) as found:
        await asyncio.sleep(seconds)
        return list(found)


async def test_first_finding_and_changes_only() -> None:
    well, sick = condition(Part.POWER, True), condition(Part.POWER, False, "low")
    assert await found_within(10.5, Told(Part.POWER, well, well, sick, sick, None, well)) == [well, sick, well]


async def test_part_that_does_not_answer() -> None:
    (found,) = await found_within(5, Told(Part.TUNER, CardLostError("gone")))
    assert found == condition(Part.TUNER, False, "gone")


async def test_one_bad_check_ends_no_other(caplog: pytest.LogCaptureFixture) -> None:
    well = Told(Part.POWER, condition(Part.POWER, True))
    found = await found_within(40, Told(Part.METER, ZeroDivisionError("x")), Hanging(), well)
    assert {one.part: one.healthy for one in found} == {Part.METER: False, Part.GUARDIAN: False, Part.POWER: True}
    assert "within 30 s" in next(one.detail for one in found if one.part is Part.GUARDIAN)
    assert well.looks > 30
    assert "the check of meter fell" in caplog.text


async def test_what_cannot_be_told_is_asked_again_soon() -> None:
    found = await found_within(15, Told(Part.POWER, None, condition(Part.POWER, True), period_s=90))
    assert len(found) == 1


async def test_what_runs_beside_is_begun_again(caplog: pytest.LogCaptureFixture) -> None:
    begun = 0

    async def falls() -> None:
        nonlocal begun
        begun += 1
        raise ValueError("x")

    runs: list[Callable[[], Awaitable[None]]] = [falls]
    async with findings(PartWatch((), beside=runs)):
        await asyncio.sleep(35)
    assert begun == 4
    assert len(asyncio.all_tasks()) == 1


class Parts:
    """All chips on one bus."""

    def __init__(self, root: Path) -> None:
        loop = asyncio.get_running_loop()

        def now_ms() -> float:
            return loop.time() * 1000

        self.bus, self.line = SimI2cBus(), SimSpeakerLine()
        self.adc, self.rtc = Ads1115Chip(now_ms, self.line.inputs_uv), Ds3231Chip(now_ms)
        self.fm = Si4703Chip(now_ms, air_of(SimEther()), self.bus.data_is_low)
        self.bus.chips = {0x48: self.adc, 0x68: self.rtc, 0x10: self.fm}
        clock = Ds3231(self.bus)
        clock.set(1_795_000_000)
        meter = LineMeter(Ads1115(self.bus))
        amplifier = PilotedAmplifier(self.line.amplifier, self.line.pilot)
        driver = Si4703(self.bus, reset=self.fm.reset, hold_sdio=self.bus.hold)
        self.tuner = Si4703Tuner(driver, ChipCapture(LoopClock(), SimEther(), self.fm))
        checks = (
            LineCheck(meter, amplifier, LineLimits(learned_ohm=300)),
            MeterCheck(meter),
            ClockChipCheck(clock),
            TunerCheck(self.tuner),
            PowerCheck(root=root),
        )
        self.watch = PartWatch(checks, beside=[meter.run])


async def test_board_with_everything_is_well(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    async with findings(parts.watch) as found:
        await asyncio.sleep(300)
        assert {one.part for one in found} == {Part.SPEAKER_LINE, Part.METER, Part.CLOCK_CHIP, Part.TUNER}
        assert all(one.healthy for one in found)


@pytest.mark.slow
async def test_bus_that_is_stuck_for_a_while(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    async with findings(parts.watch) as found:
        await asyncio.sleep(100)
        found.clear()
        parts.bus.stuck = True
        await asyncio.sleep(900)
        everything = {Part.SPEAKER_LINE, Part.METER, Part.CLOCK_CHIP, Part.TUNER}
        assert {one.part for one in found if not one.healthy} == everything
        found.clear()
        parts.bus.stuck = False
        await asyncio.sleep(900)
        assert {one.part for one in found if one.healthy} == everything
