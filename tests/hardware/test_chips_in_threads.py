"""The same drivers in real time and real threads: once, since virtual time runs everything in one."""

from __future__ import annotations

import asyncio

import pytest

from hardware.ads1115 import Ads1115
from hardware.fm_tuner import Si4703Tuner
from hardware.line_meter import LineMeter
from hardware.si4703 import Si4703
from simulators.ads1115_chip import Ads1115Chip
from simulators.chip_air import ChipCapture, air_of
from simulators.fm_station import SimEther, SimStation
from simulators.i2c_bus import SimI2cBus
from simulators.loop_clock import LoopClock
from simulators.si4703_chip import Si4703Chip
from simulators.speaker_line import SimSpeakerLine


@pytest.mark.slow
async def test_tuner_and_meter_share_a_bus() -> None:
    loop = asyncio.get_running_loop()

    def now_ms() -> float:
        return loop.time() * 1000

    bus, line = SimI2cBus(), SimSpeakerLine()
    ether = SimEther(SimStation(99_900, b"\0\0" * 960, pi="A201", ps="VOV1"))
    fm = Si4703Chip(now_ms, air_of(ether), bus.data_is_low)
    bus.chips = {0x10: fm, 0x48: Ads1115Chip(now_ms, line.inputs_uv)}
    meter = LineMeter(Ads1115(bus))
    driver = Si4703(bus, reset=fm.reset, hold_sdio=bus.hold)
    tuner = Si4703Tuner(driver, ChipCapture(LoopClock(), ether, fm), quiet=meter.lent)
    line.sound_volts = lambda: 100.0
    await line.amplifier.switch(True)
    measuring = asyncio.create_task(meter.run())
    await tuner.tune(99_900)
    for _ in range(40):
        await asyncio.sleep(0.1)
        if (await tuner.signal()).pi is not None and meter.level_cdb() is not None:
            break
    assert (await tuner.signal()).pi == "A201"
    assert meter.level_cdb() == pytest.approx(-301, abs=2)
    measuring.cancel()
    await asyncio.gather(measuring, return_exceptions=True)
    await tuner.close()
