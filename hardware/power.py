"""Whether the supply holds: the flags that a Raspberry Pi's firmware raises below 4.63 V, and when it slows down.

Three ways lead to them, tried in this order: the firmware driver's `get_throttled` (all flags), the voltage sensor's
`in0_lcrit_alarm` (under-voltage only, on kernels without the former), the command `vcgencmd`.
"""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hardware.interfaces import Condition, Part

_FIRMWARE: Final = "sys/devices/platform/soc/soc:firmware/get_throttled"
_SENSORS: Final = "sys/class/hwmon"
_SENSORS_MAX: Final = 32
_COMMAND: Final = "usr/bin/vcgencmd"
_COMMAND_S_MAX: Final = 5.0
_UNDER_VOLTAGE, _CAPPED, _THROTTLED, _HOT = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_SINCE_BOOT: Final = 16
_QUIET_S: Final = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PowerFlags:
    """What the firmware says; `_since_boot` stay raised until the next start."""

    under_voltage: bool = False
    slowed: bool = False
    hot: bool = False
    under_voltage_since_boot: bool = False
    slowed_since_boot: bool = False


def read_flags(root: Path = Path("/")) -> PowerFlags | None:
    """The flags now; None where nothing tells them (no Raspberry Pi, or a container)."""
    bits = _from_firmware(root)
    if bits is None:
        bits = _from_sensor(root)
    if bits is None:
        bits = _from_command(root)
    return None if bits is None else _flags(bits)


def _flags(bits: int) -> PowerFlags:
    before = bits >> _SINCE_BOOT
    return PowerFlags(
        under_voltage=bool(bits & _UNDER_VOLTAGE),
        slowed=bool(bits & (_CAPPED | _THROTTLED)),
        hot=bool(bits & _HOT),
        under_voltage_since_boot=bool((bits | before) & _UNDER_VOLTAGE),
        slowed_since_boot=bool((bits | before) & (_CAPPED | _THROTTLED)),
    )


def _from_firmware(root: Path) -> int | None:
    return _number(root / _FIRMWARE, digits=16)


def _from_sensor(root: Path) -> int | None:
    try:
        sensors = sorted((root / _SENSORS).iterdir())[:_SENSORS_MAX]
    except OSError:
        return None
    for sensor in sensors:
        try:
            if (sensor / "name").read_text()[:32].strip() == "rpi_volt":
                return _number(sensor / "in0_lcrit_alarm", digits=10)
        except (OSError, ValueError):
            continue
    return None


def _from_command(root: Path) -> int | None:
    if not (root / _COMMAND).exists():
        return None
    try:
        done = subprocess.run(  # noqa: S603 - words are ours
            [str(root / _COMMAND), "get_throttled"], capture_output=True, timeout=_COMMAND_S_MAX, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        _log.debug("vcgencmd: %s", error)
        return None
    found = re.search(rb"throttled=0x([0-9a-fA-F]{1,8})\b", done.stdout[:200])
    return int(found[1], 16) if found else None


def _number(path: Path, *, digits: int) -> int | None:
    try:
        with path.open() as file:
            value = int(file.read(16), digits)
    except (OSError, ValueError):
        return None
    return value if 0 <= value < 1 << 32 else None


class PowerCheck:
    """Implements `hardware.part_watch.Check`: sick from the first dip until a minute after the last.

    A dip between two looks is noticed once, by the flag that stays raised; those after it only if they are met.
    """

    part: Final = Part.POWER
    period_s: Final = 5.0

    def __init__(self, *, root: Path = Path("/")) -> None:
        self._root = root
        self._dipped_s: float | None = None
        self._since_boot: bool | None = None

    async def look(self) -> Condition | None:
        """None where nothing tells the flags."""
        flags = await asyncio.to_thread(read_flags, self._root)
        if flags is None:
            return None
        now_s = asyncio.get_running_loop().time()
        raised = flags.under_voltage_since_boot and self._since_boot is False
        self._since_boot = flags.under_voltage_since_boot
        if flags.under_voltage or raised:
            self._dipped_s = now_s
        if self._dipped_s is not None and now_s - self._dipped_s < _QUIET_S:
            return Condition(self.part, False, "under 4.63 V: the supply or its cable is too weak")
        if flags.hot:
            return Condition(self.part, False, "too hot: the processor is slowed down")
        return Condition(self.part, True, "it was under 4.63 V since the start" if self._since_boot else "")
