"""Level as the proof of sound, and the line by its pilot, over models of line and converter, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.audio.level import level_cdb
from hardware.ads1115 import Ads1115
from hardware.errors import CardLostError
from hardware.interfaces import Condition
from hardware.line_check import LineCheck, LineFault, LineLimits, LineReading, PilotedAmplifier, judge
from hardware.line_meter import LineMeter, LineScale
from simulators.ads1115_chip import Ads1115Chip
from simulators.i2c_bus import SimI2cBus
from simulators.speaker_line import SimSpeakerLine

VIRTUAL_TIME = True


class Site:
    """A line, its meter, the amplifier with the pilot before it, and a check that has learned 300 Ω."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.line = SimSpeakerLine()
        self.chip = Ads1115Chip(lambda: loop.time() * 1000, self.line.inputs_uv)
        bus = SimI2cBus()
        bus.chips[0x48] = self.chip
        self.meter = LineMeter(Ads1115(bus))
        self.amplifier = PilotedAmplifier(self.line.amplifier, self.line.pilot)
        self.check = LineCheck(self.meter, self.amplifier, LineLimits(learned_ohm=300), sees_earth=True)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    running = asyncio.create_task(site.meter.run())
    yield site
    assert not site.line.both, "pilot and sound were on the line together"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def sound(site: Site, volts: float, seconds: float = 1.5) -> int | None:
    site.line.sound_volts = lambda: volts
    await site.amplifier.switch(True)
    await asyncio.sleep(seconds)
    return site.meter.level_cdb()


async def looked(site: Site) -> Condition:
    found = await site.check.look()
    assert found is not None
    return found


async def test_full_output_is_a_full_sine(site: Site) -> None:
    assert await sound(site, 100) == pytest.approx(level_cdb(32_768**2 / 2), abs=1)


@pytest.mark.parametrize(("volts", "cdb"), [(10, -2301), (1, -4301), (0.1, -6301), (0, -12_000)])
async def test_level_follows_the_line(site: Site, volts: float, cdb: int) -> None:
    assert await sound(site, volts) == pytest.approx(cdb, abs=30)


async def test_level_is_of_the_last_second(site: Site) -> None:
    await sound(site, 100)
    assert await sound(site, 1, 0.5) == pytest.approx(-600, abs=60)
    assert await sound(site, 1, 1) == pytest.approx(-4301, abs=10)


async def test_rest_of_the_rectifiers_is_taken_off(site: Site) -> None:
    site.line.rest_uv = 20_000
    site.meter.scale = LineScale(full_uv=3_020_000, full_current_uv=3_020_000, rest_uv=20_000)
    assert await sound(site, 0) in range(-12_000, -8_000)
    assert await sound(site, 100) == pytest.approx(-301, abs=1)


async def test_meter_that_vanishes_tells_nothing(site: Site) -> None:
    assert await sound(site, 10) is not None
    site.chip.gone = True
    await asyncio.sleep(4)
    assert site.meter.level_cdb() is None
    assert "does not answer" in site.meter.trouble
    with pytest.raises(CardLostError):
        await site.meter.look_uv(0)
    site.chip.gone = False
    await asyncio.sleep(1)
    assert site.meter.level_cdb() is not None
    assert not site.meter.trouble


async def test_one_miss_is_no_trouble(site: Site) -> None:
    site.chip.gone = True
    with pytest.raises(CardLostError):
        await site.meter.look_uv(0)
    site.chip.gone = False
    await asyncio.sleep(0.3)
    assert not site.meter.trouble


async def test_whole_line_is_well(site: Site) -> None:
    found = await looked(site)
    assert found.healthy
    assert found.detail.startswith("300 ohm at 25 Hz, learned 300")
    assert not site.line.pilot.on


@pytest.mark.parametrize(
    ("ohm", "fault"),
    [(1e9, LineFault.OPEN), (0.5, LineFault.SHORT), (400, LineFault.CHANGED), (225, LineFault.CHANGED)],
)
async def test_fault_is_found_and_mended(site: Site, ohm: float, fault: LineFault) -> None:
    await looked(site)
    site.line.ohm = ohm
    found = await looked(site)
    assert not found.healthy
    assert found.detail.startswith(fault.value)
    site.line.ohm = 300
    assert (await looked(site)).healthy


async def test_leak_to_earth(site: Site) -> None:
    site.line.leak_ohm = 20_000
    found = await looked(site)
    assert (found.healthy, found.detail.startswith(LineFault.EARTH.value)) == (False, True)
    site.line.leak_ohm = 60_000
    assert not (await looked(site)).healthy, "wet is not dry yet"
    site.line.leak_ohm = 200_000
    assert (await looked(site)).healthy


async def test_fault_is_told_within_a_hundred_seconds(site: Site) -> None:
    await looked(site)
    loop = asyncio.get_running_loop()
    site.line.ohm = 1e9
    broke_s = loop.time()
    await asyncio.sleep(site.check.period_s)
    assert not (await looked(site)).healthy
    assert loop.time() - broke_s < 100


async def test_no_pilot_while_it_sounds(site: Site) -> None:
    await sound(site, 10)
    assert await site.check.look() is None
    await site.amplifier.switch(False)
    assert await site.check.look() is None, "the horn has hardly fallen silent"
    await asyncio.sleep(3)
    assert (await looked(site)).healthy


async def test_sound_ends_the_pilot_at_once(site: Site) -> None:
    looking = asyncio.create_task(site.check.look())
    await asyncio.sleep(0.7)
    assert site.line.pilot.on
    began_s = asyncio.get_running_loop().time()
    await site.amplifier.switch(True)
    assert asyncio.get_running_loop().time() - began_s < 0.01
    assert site.line.amplifier.on
    assert not site.line.pilot.on
    assert await looking is None
    assert await sound(site, 100) == pytest.approx(-301, abs=1), "the meter is back at once"


async def test_check_that_is_ended_leaves_no_pilot(site: Site) -> None:
    looking = asyncio.create_task(site.check.look())
    await asyncio.sleep(0.7)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert not site.line.pilot.on


async def test_pilot_is_no_sound(site: Site) -> None:
    await asyncio.sleep(1)
    looking = asyncio.create_task(site.check.look())
    await asyncio.sleep(0.8)
    assert site.line.pilot.on
    assert site.meter.level_cdb() == -12_000
    await looking


async def test_one_strange_reading_is_no_fault(site: Site) -> None:
    await looked(site)
    site.line.ohm = 1e9
    looking = asyncio.create_task(site.check.look())
    await asyncio.sleep(3)
    site.line.ohm = 300
    assert await looking is None


async def test_impedance_is_learned(site: Site) -> None:
    site.line.ohm = 512
    assert await site.check.learn_ohm() == pytest.approx(512, rel=0.01)


async def test_unsteady_line_is_not_learned(site: Site) -> None:
    learning = asyncio.create_task(site.check.learn_ohm())
    await asyncio.sleep(2)
    site.line.ohm = 500
    with pytest.raises(CardLostError, match="not steady"):
        await learning
    await sound(site, 1)
    with pytest.raises(CardLostError, match="while it sounds"):
        await site.check.learn_ohm()


def test_line_that_was_never_learned() -> None:
    limits = LineLimits()
    assert judge(LineReading(4.5, 0.015), limits, sick=False) is None
    assert judge(LineReading(6, 0), limits, sick=False) is LineFault.OPEN
    assert judge(LineReading(0.05, 0.06), limits, sick=False) is LineFault.SHORT
    assert judge(LineReading(0, 0), limits, sick=False) is LineFault.NO_PILOT


def test_limits_do_not_flap() -> None:
    limits = LineLimits(learned_ohm=100)
    borderline = LineReading(4, 4 / 115)
    assert judge(borderline, limits, sick=False) is None
    assert judge(borderline, limits, sick=True) is LineFault.CHANGED
