"""What outlasts a power cut: files, the count of starts, the clock chip."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.guardian.flash import Flash
from hardware.guardian.message import POWER, RESETS_MAX, SOFT, WATCHDOG
from hardware.guardian.resets import Resets, announce
from hardware.guardian.rtc import ADDRESS, Rtc
from simulators.guardian_clock_chip import SimClockChip
from simulators.i2c_bus import SimI2cBus


@pytest.fixture
def flash(tmp_path: Path) -> Flash:
    return Flash(str(tmp_path))


def test_file_comes_back(flash: Flash) -> None:
    assert flash.read("plan") is None
    assert flash.write("plan", b"one")
    assert flash.write("plan", b"two")
    assert flash.read("plan") == b"two"


def test_cut_between_writing_and_renaming_keeps_the_old(flash: Flash, tmp_path: Path) -> None:
    flash.write("plan", b"whole")
    (tmp_path / "plan.new").write_bytes(b"hal")
    assert flash.read("plan") == b"whole"
    assert flash.write("plan", b"next")
    assert flash.read("plan") == b"next"


def test_full_flash_is_told(tmp_path: Path) -> None:
    assert not Flash(str(tmp_path / "nowhere")).write("plan", b"one")


def test_damaged_file_is_set_aside(flash: Flash, tmp_path: Path) -> None:
    flash.write("plan", b"damaged")
    flash.set_aside("plan")
    flash.set_aside("plan")
    assert flash.read("plan") is None
    assert (tmp_path / "plan.bad").read_bytes() == b"damaged"


def test_starts_are_counted_with_their_causes(flash: Flash) -> None:
    Resets(flash, by_watchdog=False)
    Resets(flash, by_watchdog=True)
    announce(flash)
    third = Resets(flash, by_watchdog=True)
    third.dated(1_800_000_000_000)
    assert third.told() == [(1, POWER, 0), (2, WATCHDOG, 0), (3, SOFT, 1_800_000_000_000)]
    assert (third.boots, third.cause) == (3, SOFT)


def test_list_of_starts_is_bounded(flash: Flash) -> None:
    for _ in range(RESETS_MAX + 5):
        last = Resets(flash, by_watchdog=True)
    assert last.boots == RESETS_MAX + 5
    assert len(last.told()) == RESETS_MAX


@given(st.binary(max_size=200))
def test_damaged_list_of_starts_begins_anew(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        flash = Flash(folder)
        flash.write("resets", data)
        assert Resets(flash, by_watchdog=False).boots >= 1


@given(st.datetimes(datetime(2024, 1, 1), datetime(2099, 12, 31)))
def test_clock_chip_is_set_and_read(moment: datetime) -> None:
    wall_ms = int(moment.replace(tzinfo=UTC).timestamp()) * 1000
    bus = SimI2cBus()
    chip = bus.chips[ADDRESS] = SimClockChip(lambda: 0.0, wall_ms=None)
    rtc = Rtc(bus)
    assert rtc.wall_ms() is None, "its oscillator has stopped"
    rtc.set(wall_ms)
    assert not chip.stopped
    assert rtc.wall_ms() == wall_ms


def test_missing_clock_chip_has_no_time() -> None:
    rtc = Rtc(SimI2cBus())
    rtc.set(1_800_000_000_000)
    assert rtc.wall_ms() is None


@given(st.binary(min_size=16, max_size=16))
def test_rubbish_from_the_clock_chip_is_no_time_or_one(data: bytes) -> None:
    class Chip:
        def read(self, count: int) -> bytes:
            return data

        def write(self, data: bytes) -> None: ...

    bus = SimI2cBus()
    bus.chips[ADDRESS] = Chip()
    wall_ms = Rtc(bus).wall_ms()
    assert wall_ms is None or wall_ms > 0
