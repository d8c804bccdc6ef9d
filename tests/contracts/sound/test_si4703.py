"""The real driver of the FM chip keeps the tuner's contract over a model of the chip's registers, also by smbus2."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.ports import FmTuner
from hardware.fm_tuner import Si4703Tuner
from hardware.linux_i2c import LinuxI2c
from hardware.si4703 import Si4703
from simulators.chip_air import ChipCapture, air_of
from simulators.fm_station import SimEther, SimStation
from simulators.i2c_bus import SimI2cBus
from simulators.i2c_device import SimI2cDevice
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from simulators.si4703_chip import Si4703Chip
from tests.contracts.sound.fm_tuner_contract import FREQUENCY_KHZ, FmTunerContract


class Receiver:
    """A chip on a bus, and what its aerial hears."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.ether = SimEther(SimStation(FREQUENCY_KHZ, melody(2, duration_ms=5000), pi="A201", ps="VOV1"))
        self.bus = SimI2cBus()
        self.chip = Si4703Chip(lambda: loop.time() * 1000, air_of(self.ether), self.bus.data_is_low)
        self.bus.chips[0x10] = self.chip

    def tuner(self, bus: SimI2cBus | LinuxI2c) -> Si4703Tuner:
        driver = Si4703(bus, reset=self.chip.reset, hold_sdio=self.bus.hold)
        return Si4703Tuner(driver, ChipCapture(LoopClock(), self.ether, self.chip))


class TestSi4703Tuner(FmTunerContract):
    pi = "A201"

    @pytest.fixture
    async def tuner(self) -> AsyncIterator[FmTuner]:
        receiver = Receiver()
        tuner = receiver.tuner(receiver.bus)
        yield tuner
        await tuner.close()


class TestSi4703TunerBySmbus2(FmTunerContract):
    pi = "A201"

    @pytest.fixture
    async def tuner(self, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FmTuner]:
        receiver = Receiver()
        device = SimI2cDevice(receiver.bus)
        device.stand_in(monkeypatch)
        tuner = receiver.tuner(LinuxI2c(1))
        assert device.opened == ["/dev/i2c-1"]
        yield tuner
        await tuner.close()
