"""A bus of Linux that is missing or not answered; its data line is held by pinctrl and given back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware import linux_i2c
from hardware.errors import BoardError
from hardware.linux_i2c import LinuxI2c
from simulators.i2c_bus import SimI2cBus
from simulators.i2c_device import SimI2cDevice


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> SimI2cBus:
    model = SimI2cBus()
    SimI2cDevice(model).stand_in(monkeypatch)
    return model


@pytest.fixture
def bus(model: SimI2cBus) -> Iterator[LinuxI2c]:
    bus = LinuxI2c(1)
    yield bus
    bus.close()


def test_missing_bus_is_told() -> None:
    with pytest.raises(BoardError, match="I2C bus 22 cannot be used"):
        LinuxI2c(22)


def test_empty_address_is_an_os_error(bus: LinuxI2c) -> None:
    with pytest.raises(OSError, match="nobody acknowledges"):
        bus.read(0x10, 32)


PINCTRL = """#!/bin/sh
echo "$@" >> {log}
[ "$1" = get ] && echo " 2: {state}    pu | hi // GPIO2 = {state}"
exit {code}
"""


def pinctrl(folder: Path, monkeypatch: pytest.MonkeyPatch, *, state: str = "a3", code: int = 0) -> Path:
    command, log = folder / "pinctrl", folder / "log"
    command.write_text(PINCTRL.format(log=log, state=state, code=code))
    command.chmod(0o755)
    monkeypatch.setattr(linux_i2c, "_PINCTRL", str(command))
    return log


def test_data_line_is_held_and_given_back_as_it_was(
    bus: LinuxI2c, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = pinctrl(tmp_path, monkeypatch)
    bus.hold(True)
    bus.hold(False)
    assert log.read_text().splitlines() == ["get 2", "set 2 op dl", "set 2 a3"]


def test_line_of_another_owner_is_left_alone(bus: LinuxI2c, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = pinctrl(tmp_path, monkeypatch, state="op")
    with pytest.raises(OSError, match="does not belong"):
        bus.hold(True)
    bus.hold(False)
    assert log.read_text().splitlines() == ["get 2"]


def test_failing_or_missing_pinctrl_is_an_os_error(
    bus: LinuxI2c, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinctrl(tmp_path, monkeypatch, code=1)
    with pytest.raises(OSError, match="cannot be held"):
        bus.hold(True)
    monkeypatch.setattr(linux_i2c, "_PINCTRL", str(tmp_path / "none"))
    with pytest.raises(OSError, match="cannot be held"):
        bus.hold(True)


def test_data_line_of_an_unknown_bus_is_not_guessed(model: SimI2cBus) -> None:
    with pytest.raises(OSError, match="use bus 1"):
        LinuxI2c(5).hold(True)


def test_clock_chip_is_not_set_to_nought_while_the_tuner_is_reset(
    bus: LinuxI2c, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinctrl(tmp_path, monkeypatch)
    bus.hold(True)
    with pytest.raises(OSError, match="data line is held"):
        bus.write(0x68, bytes(8))
    bus.hold(False)
    with pytest.raises(OSError, match="nobody acknowledges"):
        bus.write(0x68, bytes(8))


def test_meter_lives_on_after_the_data_line_was_not_given_back_once(
    bus: LinuxI2c, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinctrl(tmp_path, monkeypatch)
    bus.hold(True)
    monkeypatch.setattr(linux_i2c, "_PINCTRL", str(tmp_path / "none"))
    with pytest.raises(OSError, match="cannot be held"):
        bus.hold(False)
    log = pinctrl(tmp_path, monkeypatch, state="op")
    bus.hold(True)
    bus.hold(False)
    assert log.read_text().splitlines()[-1] == "set 2 a3"
    with pytest.raises(OSError, match="nobody acknowledges"):
        bus.read(0x48, 2)
