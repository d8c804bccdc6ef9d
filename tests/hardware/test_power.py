"""Under-voltage flags of a made-up Raspberry Pi."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hardware.power import PowerCheck, PowerFlags, read_flags

VIRTUAL_TIME = True


def firmware(root: Path, text: str) -> Path:
    path = root / "sys/devices/platform/soc/soc:firmware/get_throttled"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return root


def test_no_raspberry_pi_tells_nothing(tmp_path: Path) -> None:
    assert read_flags(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("0\n", PowerFlags()),
        ("50005\n", PowerFlags(True, True, False, True, True)),
        ("50000\n", PowerFlags(under_voltage_since_boot=True, slowed_since_boot=True)),
        ("80008", PowerFlags(hot=True)),
        ("1", PowerFlags(under_voltage=True, under_voltage_since_boot=True)),
    ],
)
def test_flags_of_the_firmware(tmp_path: Path, text: str, flags: PowerFlags) -> None:
    assert read_flags(firmware(tmp_path, text)) == flags


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 500, "\0"])
def test_rubbish_is_no_flag(tmp_path: Path, text: str) -> None:
    assert read_flags(firmware(tmp_path, text)) is None


@pytest.mark.parametrize(("alarm", "low"), [("0\n", False), ("1\n", True)])
def test_voltage_sensor_of_newer_kernels(tmp_path: Path, alarm: str, low: bool) -> None:
    for number, name in enumerate(("cpu_thermal", "rpi_volt")):
        sensor = tmp_path / f"sys/class/hwmon/hwmon{number}"
        sensor.mkdir(parents=True)
        (sensor / "name").write_text(name + "\n")
        (sensor / "in0_lcrit_alarm").write_text(alarm if name == "rpi_volt" else "1")
    (tmp_path / "sys/class/hwmon/hwmon9").mkdir()
    flags = read_flags(tmp_path)
    assert flags is not None
    assert flags.under_voltage is low


@pytest.mark.parametrize(
    ("script", "flags"),
    [
        ("echo throttled=0x50000", PowerFlags(under_voltage_since_boot=True, slowed_since_boot=True)),
        ("echo VCHI initialization failed; exit 255", None),
        ("echo 'error=1 error_msg=\"Command not registered\"'", None),
    ],
)
def test_command_of_the_firmware(tmp_path: Path, script: str, flags: PowerFlags | None) -> None:
    command = tmp_path / "usr/bin/vcgencmd"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    assert read_flags(tmp_path) == flags


async def healthy(check: PowerCheck, seconds: float = 0) -> bool | None:
    await asyncio.sleep(seconds)
    found = await check.look()
    return None if found is None else found.healthy


async def test_dip_is_told_for_a_minute(tmp_path: Path) -> None:
    check = PowerCheck(root=tmp_path)
    assert await healthy(check) is None
    firmware(tmp_path, "0")
    assert await healthy(check) is True
    firmware(tmp_path, "50005")
    assert await healthy(check, 5) is False
    firmware(tmp_path, "50000")
    assert await healthy(check, 30) is False
    assert await healthy(check, 40) is True


async def test_dip_between_two_looks(tmp_path: Path) -> None:
    check = PowerCheck(root=firmware(tmp_path, "0"))
    assert await healthy(check) is True
    firmware(tmp_path, "10000")
    assert await healthy(check, 5) is False
    assert await healthy(check, 90) is True


async def test_dip_before_the_agent_started(tmp_path: Path) -> None:
    found = await PowerCheck(root=firmware(tmp_path, "10000")).look()
    assert found is not None
    assert found.healthy
    assert "since the start" in found.detail


async def test_hot_board(tmp_path: Path) -> None:
    assert await healthy(PowerCheck(root=firmware(tmp_path, "8"))) is False
