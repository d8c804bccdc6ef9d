"""The clock chip over a model of its registers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hardware.ds3231 import ChipTime, ClockChipCheck, Ds3231, KernelClock, kernel_owns
from hardware.errors import CardLostError
from simulators.ds3231_chip import Ds3231Chip
from simulators.i2c_bus import SimI2cBus

NOW_S = int(datetime(2026, 11, 23, 16, 59, 50, tzinfo=UTC).timestamp())


class Bench:
    def __init__(self) -> None:
        self.ms = 0.0
        self.bus = SimI2cBus()
        self.chip = Ds3231Chip(lambda: self.ms)
        self.bus.chips[0x68] = self.chip
        self.driver = Ds3231(self.bus)


def test_new_chip_is_not_believed() -> None:
    assert Bench().driver.read() == ChipTime(int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()), trusted=False)


def test_chip_runs_on_from_what_it_was_set_to() -> None:
    bench = Bench()
    bench.driver.set(NOW_S)
    bench.ms += 86_400_000 * 40
    assert bench.driver.read() == ChipTime(NOW_S + 86_400 * 40, trusted=True)


@pytest.mark.parametrize("at", [datetime(2028, 2, 29, 23, 59, 59), datetime(2099, 12, 31, 12), datetime(2199, 1, 1)])
def test_dates_of_any_kind(at: datetime) -> None:
    bench = Bench()
    utc_s = int(at.replace(tzinfo=UTC).timestamp())
    bench.driver.set(utc_s)
    assert bench.driver.read() == ChipTime(utc_s, trusted=True)
    bench.ms += 1000
    assert bench.driver.read().utc_s == utc_s + 1


def test_years_it_does_not_know() -> None:
    for utc_s in (0, int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())):
        with pytest.raises(ValueError, match="2000 to 2199"):
            Bench().driver.set(utc_s)


def test_chip_with_a_good_battery_knows_the_hour_after_a_power_cut() -> None:
    """Whoever had it before: nobody finds out why a new battery does not help."""
    bench = Bench()
    bench.bus.write(0x68, bytes((0x0E, 0x9C)))
    bench.driver.set(NOW_S)
    bench.chip.lose_supply()
    assert bench.driver.read() == ChipTime(NOW_S, trusted=True)
    bench.bus.write(0x68, bytes((0x0E,)))
    assert bench.bus.read(0x68, 1) == b"\x1c", "the rest stays as it was"


def test_empty_battery_is_noticed() -> None:
    bench = Bench()
    bench.driver.set(NOW_S)
    bench.chip.lose_battery()
    assert not bench.driver.read().trusted


class Registers:
    """A chip that says what it is told to say."""

    def __init__(self, time: bytes) -> None:
        self.time, self.pointer = time, 0

    def read(self, count: int) -> bytes:
        return (self.time if self.pointer == 0 else bytes(20))[:count]

    def write(self, data: bytes) -> None:
        self.pointer = data[0]


@pytest.mark.parametrize(
    ("hour", "found"), [(0x72, 12), (0x52, 0), (0x61, 13), (0x41, 1), (0x71, 23), (0x53, None), (0x40, None)]
)
def test_twelve_hours_as_others_set_them(hour: int, found: int | None) -> None:
    bus = SimI2cBus()
    bus.chips[0x68] = Registers(bytes((0, 0, hour, 1, 1, 1, 0x26)))
    told = Ds3231(bus).read()
    assert told.trusted is (found is not None)
    assert found is None or datetime.fromtimestamp(told.utc_s, UTC).hour == found


@pytest.mark.parametrize("time", [b"\xff" * 7, b"\x00" * 7, b"\x60\0\0\x01\x01\x01\x26", b"\0\0\0\x01\x31\x02\x26"])
def test_rubbish_is_no_time(time: bytes) -> None:
    bus = SimI2cBus()
    bus.chips[0x68] = Registers(time)
    assert Ds3231(bus).read() == ChipTime(0, trusted=False)


@pytest.mark.parametrize("celsius", [25.0, 0.25, -10.75, 71.5])
def test_temperature_in_quarters(celsius: float) -> None:
    bench = Bench()
    bench.chip.celsius = celsius
    assert bench.driver.temperature_c() == celsius


def test_chip_that_is_gone() -> None:
    bench = Bench()
    bench.chip.gone = True
    for act in (bench.driver.read, bench.driver.temperature_c, lambda: bench.driver.set(NOW_S)):
        with pytest.raises(CardLostError, match="clock chip"):
            act()
    short = SimI2cBus()
    short.chips[0x68] = Registers(b"")
    with pytest.raises(CardLostError, match="0 bytes"):
        Ds3231(short).read()


async def test_check_tells_the_battery() -> None:
    bench = Bench()
    check = ClockChipCheck(bench.driver)
    assert "battery" in (await check.look()).detail
    bench.driver.set(NOW_S)
    assert (await check.look()).healthy
    bench.chip.gone = True
    with pytest.raises(CardLostError):
        await check.look()


def test_kernel_that_owns_the_chip(tmp_path: Path) -> None:
    assert not kernel_owns(1, root=tmp_path)
    (tmp_path / "sys/bus/i2c/devices/1-0068/driver").mkdir(parents=True)
    assert kernel_owns(1, root=tmp_path)
    assert not kernel_owns(0, root=tmp_path)


def test_kernels_clock(tmp_path: Path) -> None:
    clock = KernelClock(root=tmp_path)
    with pytest.raises(CardLostError):
        clock.read()
    path = tmp_path / "sys/class/rtc/rtc0/since_epoch"
    path.parent.mkdir(parents=True)
    path.write_text(f"{NOW_S}\n")
    assert clock.read() == ChipTime(NOW_S, trusted=True)
    path.write_text("x")
    assert not clock.read().trusted
