"""The driver of the FM chip over a model of its registers, in a time of its own."""

from __future__ import annotations

import pytest

from hardware.si4703 import FrequencyError, Si4703, Si4703Error, walk
from simulators.i2c_bus import SimI2cBus
from simulators.rds_encoder import Programme, name_groups
from simulators.si4703_chip import Si4703Chip

Heard = tuple[int, Programme | None]


class Bench:
    """A chip on a bus, a driver, and a clock that runs when the driver waits."""

    def __init__(self, **stations: Heard) -> None:
        self.ms = 0.0
        self.stations = {int(name[1:]): heard for name, heard in stations.items()}
        self.bus = SimI2cBus()
        self.model = Si4703Chip(lambda: self.ms, lambda khz: self.stations.get(khz, (6, None)), self.bus.data_is_low)
        self.bus.chips[0x10] = self.model
        self.driver = Si4703(self.bus, reset=self.model.reset, hold_sdio=self.bus.hold)

    def sleep(self, wait_ms: int) -> None:
        self.ms += wait_ms

    def up(self) -> Bench:
        walk(self.driver.power_up(), self.sleep)
        return self

    def tune(self, frequency_khz: int) -> None:
        walk(self.driver.tune(frequency_khz), self.sleep)

    def seek(self, *, up: bool = True, wrap: bool = False) -> int | None:
        walk(self.driver.seek(up, wrap), self.sleep)
        return self.driver.read().frequency_khz if self.driver.found else None


VOV1 = (55, Programme(0xA201, "VOV1", "Xin chao"))
WEAK = (26, Programme(0xB202, "TINH"))


def test_power_up_waits_for_the_crystal() -> None:
    bench = Bench(f99900=VOV1).up()
    assert bench.ms >= 610
    bench.tune(99_900)
    now = bench.driver.read()
    assert (now.frequency_khz, now.rssi_dbuv, now.stereo, now.off_station) == (99_900, 55, True, False)


@pytest.mark.parametrize("frequency_khz", [76_000, 87_000, 87_500, 108_000])
def test_band_of_viet_nam_and_below(frequency_khz: int) -> None:
    bench = Bench().up()
    bench.tune(frequency_khz)
    assert bench.driver.read().frequency_khz == frequency_khz


@pytest.mark.parametrize("frequency_khz", [54_000, 68_000, 75_900, 108_100, 0, -1])
def test_what_the_chip_cannot_receive(frequency_khz: int) -> None:
    bench = Bench().up()
    before = bench.bus.messages
    with pytest.raises(FrequencyError, match=r"Si4734/35-D60 .* RDA5807M"):
        bench.tune(frequency_khz)
    assert bench.bus.messages == before
    with pytest.raises(FrequencyError, match="steps of 100 kHz"):
        bench.tune(99_950)


def test_impatient_driver_gets_no_tuning() -> None:
    bench = Bench(f99900=VOV1)
    walk(bench.driver.power_up(), lambda wait_ms: bench.sleep(min(wait_ms, 120)))
    with pytest.raises(Si4703Error, match="did not end"):
        bench.tune(99_900)


def test_reset_without_sdio_low_is_another_bus() -> None:
    bench = Bench()
    bench.driver = Si4703(bench.bus, reset=bench.model.reset, hold_sdio=lambda low: None)
    with pytest.raises(OSError, match="nobody"):
        bench.up()


def test_data_line_that_stays_low() -> None:
    bench = Bench().up()
    bench.bus.stuck = True
    with pytest.raises(OSError, match="held low"):
        bench.driver.read()


def test_wrong_chip_is_named() -> None:
    class Stranger:
        def read(self, count: int) -> bytes:
            return b"\x00\x07" * (count // 2)

        def write(self, data: bytes) -> None: ...

    bench = Bench()
    bench.bus.chips[0x10] = Stranger()
    with pytest.raises(Si4703Error, match=r"no Si4702/03: 0x0007"):
        bench.up()


def test_tuning_that_never_ends() -> None:
    bench = Bench().up()
    bench.model.stuck = True
    with pytest.raises(Si4703Error, match="within 200 ms"):
        bench.tune(99_900)
    bench.model.stuck = False
    bench.tune(99_900)


def test_lost_supply_is_noticed() -> None:
    bench = Bench(f99900=VOV1).up()
    bench.tune(99_900)
    bench.model.lose_power()
    with pytest.raises(OSError, match="nobody"):
        bench.driver.read()
    bench.up().tune(99_900)
    walk(bench.driver.power_down(), bench.sleep)
    assert not bench.driver.read().enabled
    with pytest.raises(Si4703Error, match="not powered up"):
        bench.tune(99_900)
    bench.up().tune(99_900)


def test_seek_finds_stations_one_by_one() -> None:
    bench = Bench(f90000=VOV1, f99900=WEAK, f101200=(20, None)).up()
    bench.tune(87_000)
    assert [bench.seek(), bench.seek(), bench.seek()] == [90_000, 99_900, None]
    assert bench.driver.read().frequency_khz == 108_000


def test_seek_down_and_round() -> None:
    bench = Bench(f90000=VOV1, f99900=WEAK).up()
    bench.tune(95_000)
    assert bench.seek(up=False) == 90_000
    assert bench.seek(up=False, wrap=True) == 99_900
    assert bench.seek(wrap=True) == 90_000


def test_seek_in_an_empty_band() -> None:
    bench = Bench().up()
    bench.tune(87_000)
    assert bench.seek(wrap=True) is None
    assert bench.driver.read().frequency_khz == 87_000


def test_busy_bus_makes_the_chip_tremble() -> None:
    """Data sheet, errata in 4.7.1: others' messages while it tunes or seeks."""
    bench = Bench(f99900=VOV1).up()
    bench.tune(87_000)

    def chatter(wait_ms: int) -> None:
        for _ in range(wait_ms // 5):
            bench.sleep(5)
            bench.bus.read(0x10, 2)

    walk(bench.driver.tune(99_900), chatter)
    assert bench.driver.read().off_station
    bench.tune(87_000)
    with pytest.raises(Si4703Error, match="bus too busy"):
        walk(bench.driver.seek(), chatter)
    bench.tune(87_000)
    assert bench.seek() == 99_900


def test_seek_that_never_ends() -> None:
    bench = Bench().up()
    bench.model.stuck = True
    with pytest.raises(Si4703Error, match="within 25000 ms"):
        bench.seek()


def test_beside_a_strong_station_is_no_station() -> None:
    bench = Bench(f99900=VOV1).up()
    bench.tune(99_800)
    now = bench.driver.read()
    assert now.rssi_dbuv == 35
    assert now.off_station
    assert not bench.model.sounds


def test_volume_and_mute() -> None:
    bench = Bench(f99900=VOV1).up()
    bench.tune(99_900)
    assert bench.model.sounds
    bench.driver.set_volume(7, muted=True)
    assert not bench.model.sounds
    bench.tune(99_900)
    assert not bench.model.sounds, "tuning does not open what is shut"
    with pytest.raises(ValueError, match="0 to 15"):
        bench.driver.set_volume(16)


def test_groups_come_with_their_errors() -> None:
    bench = Bench(f99900=VOV1, f90000=WEAK).up()
    for frequency_khz, clean in ((99_900, True), (90_000, False)):
        bench.tune(frequency_khz)
        bench.sleep(300)
        levels: list[int] = []
        groups = 0
        for _ in range(400):
            now = bench.driver.read()
            if now.group is not None:
                groups += 1
                levels += now.errors
                assert now.synchronised
            bench.sleep(60 if now.group else 30)
        assert groups > 150
        assert (max(levels) == 0) is clean
        assert set(levels) <= {0, 1, 2, 3}


def test_first_group_is_the_one_sent() -> None:
    bench = Bench(f99900=(55, Programme(0xA201, "VOV1"))).up()
    bench.tune(99_900)
    bench.sleep(400)
    while (now := bench.driver.read()).group is None:
        bench.sleep(5)
    assert now.group in name_groups(0xA201, "VOV1")
