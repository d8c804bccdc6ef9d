"""The converter's driver over a model of its registers."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from hardware.ads1115 import RANGES_UV, Ads1115
from hardware.ds3231 import Ds3231
from hardware.linux_i2c import LinuxI2c
from simulators.ads1115_chip import Ads1115Chip
from simulators.ds3231_chip import Ds3231Chip
from simulators.i2c_bus import SimI2cBus
from simulators.i2c_device import SimI2cDevice


class Bench:
    def __init__(self, *inputs_uv: float) -> None:
        self.ms = 0.0
        self.bus = SimI2cBus()
        self.chip = Ads1115Chip(lambda: self.ms, lambda channel: inputs_uv[channel])
        self.bus.chips[0x48] = self.chip
        self.driver = Ads1115(self.bus)

    def run(self, steps: Generator[float, None, int]) -> int:
        while True:
            try:
                self.ms += next(steps)
            except StopIteration as end:
                return int(end.value)


def test_every_input_is_its_own() -> None:
    bench = Bench(1_000_000, 2_000_000, 500, -3000)
    read = [bench.run(bench.driver.convert(channel)) for channel in range(4)]
    assert read == pytest.approx([1_000_000, 2_000_000, 500, -3000], abs=125)


@pytest.mark.parametrize("range_uv", RANGES_UV)
def test_every_range_has_its_own_steps(range_uv: int) -> None:
    bench = Bench(100_000, 9_000_000, -9_000_000)
    assert bench.run(bench.driver.convert(0, range_uv=range_uv)) == pytest.approx(100_000, abs=range_uv / 32768)
    assert bench.run(bench.driver.convert(1, range_uv=range_uv)) == pytest.approx(range_uv, rel=1e-4)
    assert bench.run(bench.driver.convert(2, range_uv=range_uv)) == -range_uv


def test_conversion_takes_its_time() -> None:
    bench = Bench(1000)
    bench.run(bench.driver.convert(0))
    assert 1.1 < bench.ms < 2


def test_conversion_that_never_ends() -> None:
    bench = Bench(1000)
    bench.chip.stuck = True
    with pytest.raises(TimeoutError, match="does not end"):
        bench.run(bench.driver.convert(0))
    assert bench.ms < 20
    bench.chip.stuck = False
    assert bench.run(bench.driver.convert(0)) > 0


def test_converter_that_is_gone() -> None:
    bench = Bench(1000)
    bench.chip.gone = True
    with pytest.raises(OSError, match="nobody"):
        bench.run(bench.driver.convert(0))
    del bench.bus.chips[0x48]
    with pytest.raises(OSError, match="nobody"):
        bench.run(bench.driver.convert(0))


def test_chips_behind_smbus2(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(1_000_000)
    bench.bus.chips[0x68] = Ds3231Chip(lambda: bench.ms)
    SimI2cDevice(bench.bus).stand_in(monkeypatch)
    bus = LinuxI2c(1)
    assert bench.run(Ads1115(bus).convert(0)) == pytest.approx(1_000_000, abs=125)
    clock = Ds3231(bus)
    clock.set(1_795_000_000)
    assert clock.read().utc_s == 1_795_000_000
    bench.bus.stuck = True
    with pytest.raises(OSError, match="held low"):
        bench.run(Ads1115(bus).convert(0))
    bus.close()
