"""The speaker line by its meter and its pilot, over the models of converter and line."""

from __future__ import annotations

import asyncio

import pytest

from hardware.ads1115 import Ads1115
from hardware.line_check import LineCheck, LineLimits, PilotedAmplifier
from hardware.line_meter import LineMeter
from hardware.selftest.finding import Finding, Result
from hardware.selftest.line import try_line
from hardware.selftest.parts import Parts
from simulators.ads1115_chip import Ads1115Chip
from simulators.i2c_bus import SimI2cBus
from simulators.speaker_line import SimSpeakerLine
from tests.hardware.selftest.desk import bench


async def tried(line: SimSpeakerLine, *, piloted: bool = True, gone: bool = False) -> Finding:
    loop = asyncio.get_running_loop()
    bus, chip = SimI2cBus(), Ads1115Chip(lambda: loop.time() * 1000, line.inputs_uv)
    bus.chips[0x48], chip.gone = chip, gone
    meter = LineMeter(Ads1115(bus))
    check = LineCheck(meter, PilotedAmplifier(line.amplifier, line.pilot), LineLimits(learned_ohm=300.0))
    parts = Parts(meter=meter, line=check if piloted else None)
    async with parts.awake():
        return await try_line(bench(parts))


async def test_line_as_it_was_learned_is_good() -> None:
    finding = await tried(SimSpeakerLine(ohm=305.0))
    assert finding.result is Result.OK, finding
    assert float(finding.figures["line_ohm"]) == pytest.approx(305, rel=0.05)


@pytest.mark.parametrize(("ohm", "word"), [(2.0, "short"), (9000.0, "open"), (440.0, "missing")])
async def test_line_that_changed_fails(ohm: float, word: str) -> None:
    finding = await tried(SimSpeakerLine(ohm=ohm))
    assert finding.result is Result.FAIL
    assert word in finding.found and "Walk along" in finding.advice


async def test_meter_without_pilot_tells_the_level_at_rest() -> None:
    finding = await tried(SimSpeakerLine(), piloted=False)
    assert finding.result is Result.OK
    assert "not checked" in finding.found


async def test_meter_that_does_not_answer_fails() -> None:
    assert (await tried(SimSpeakerLine(), piloted=False, gone=True)).result is Result.FAIL


async def test_board_without_meter_says_what_is_lost() -> None:
    assert (await try_line(bench())).result is Result.ABSENT
