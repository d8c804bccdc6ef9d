"""The real driver of the FM chip keeps the tuner's contract over a model of the chip's registers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.ports import FmTuner
from hardware.fm_tuner import Si4703Tuner
from hardware.si4703 import Si4703
from simulators.chip_air import ChipCapture, air_of
from simulators.fm_station import SimEther, SimStation
from simulators.i2c_bus import SimI2cBus
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from simulators.si4703_chip import Si4703Chip
from tests.contracts.sound.fm_tuner_contract import FREQUENCY_KHZ, FmTunerContract


class TestSi4703Tuner(FmTunerContract):
    pi = "A201"

    @pytest.fixture
    async def tuner(self) -> AsyncIterator[FmTuner]:
        loop = asyncio.get_running_loop()
        ether = SimEther(SimStation(FREQUENCY_KHZ, melody(2, duration_ms=5000), pi="A201", ps="VOV1"))
        bus = SimI2cBus()
        model = Si4703Chip(lambda: loop.time() * 1000, air_of(ether), bus.data_is_low)
        bus.chips[0x10] = model
        driver = Si4703(bus, reset=model.reset, hold_sdio=bus.hold)
        tuner = Si4703Tuner(driver, ChipCapture(LoopClock(), ether, model))
        yield tuner
        await tuner.close()
