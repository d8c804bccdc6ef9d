"""The clock chip DS3231 over I2C: time, whether it may be believed, and its temperature.

Whose clock it is matters. A chip that the kernel's rtc-ds1307 driver owns is set by the kernel from NTP every eleven
minutes (chrony's `rtcsync`, systemd-timesyncd): then it repeats what the network said and is no second opinion. So on
our boards no overlay gives it to the kernel; this driver reads it and sets it when whoever decides says so. Where the
kernel has it (`kernel_owns`), it is read under /sys/class/rtc by `KernelClock` and not written.

Source: Maxim, DS3231 data sheet 19-5170 rev. 10, figure 1 (registers).
"""

from __future__ import annotations

from calendar import timegm
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hardware.ads1115 import Bus
from hardware.chip_thread import in_chip_thread
from hardware.errors import CardLostError
from hardware.i18n import N_
from hardware.interfaces import Condition, Part

ADDRESS: Final = 0x68
_SECONDS, _CONTROL, _STATUS, _TEMPERATURE = 0x00, 0x0E, 0x0F, 0x11
_STOPS_ON_BATTERY: Final = 0x80
"""EOSC: whoever had the chip before may have set it, to spare the battery on the shelf."""
_OSCILLATOR_STOPPED: Final = 0x80
_TWELVE_HOURS, _AFTERNOON = 0x40, 0x20
_CENTURY: Final = 0x80
_YEAR_MIN: Final = 2000
_YEAR_MAX: Final = 2199


@dataclass(frozen=True, slots=True)
class ChipTime:
    """What the chip says.

    Attributes:
        utc_s: seconds since 1970.
        trusted: its oscillator has run ever since it was set.
    """

    utc_s: int
    trusted: bool


class Ds3231:
    """The chip on a bus; its methods block for a few milliseconds."""

    def __init__(self, bus: Bus, *, address: int = ADDRESS) -> None:
        self._bus, self._address = bus, address

    def read(self) -> ChipTime:
        """The time, and whether to believe it; registers that hold no time are not believed.

        Raises:
            CardLostError: nobody answers.
        """
        stopped = self._get(_STATUS, 1)[0] & _OSCILLATOR_STOPPED
        at = _decoded(self._get(_SECONDS, 7))
        return ChipTime(at or 0, trusted=at is not None and not stopped)

    def set(self, utc_s: int) -> None:
        """Sets it, as this second begins, has it run on its battery, too, and believes it from now on.

        Raises:
            CardLostError: nobody answers.
            ValueError: a year the chip does not know.
        """
        self._put(_SECONDS, _encoded(utc_s))
        control = self._get(_CONTROL, 1)[0]
        if control & _STOPS_ON_BATTERY:
            self._put(_CONTROL, bytes((control & ~_STOPS_ON_BATTERY,)))
        status = self._get(_STATUS, 1)[0]
        self._put(_STATUS, bytes((status & ~_OSCILLATOR_STOPPED,)))

    def temperature_c(self) -> float:
        """Of the chip, in quarters of a degree. Raises CardLostError."""
        whole, quarters = self._get(_TEMPERATURE, 2)
        return (whole - 256 if whole & 0x80 else whole) + (quarters >> 6) / 4

    def _get(self, register: int, count: int) -> bytes:
        try:
            self._bus.write(self._address, bytes((register,)))
            data = self._bus.read(self._address, count)
        except OSError as error:
            raise CardLostError(N_("the clock chip does not answer: %(why)s"), why=error) from error
        if len(data) != count:
            raise CardLostError(
                N_("the clock chip gave %(got)d bytes instead of %(wanted)d"), got=len(data), wanted=count
            )
        return data

    def _put(self, register: int, data: bytes) -> None:
        try:
            self._bus.write(self._address, bytes((register, *data)))
        except OSError as error:
            raise CardLostError(N_("the clock chip does not answer: %(why)s"), why=error) from error


def _decoded(data: bytes) -> int | None:
    try:
        second, minute, day, year = (_from_bcd(data[at]) for at in (0, 1, 4, 6))
        month = _from_bcd(data[5] & ~_CENTURY)
        century = 100 if data[5] & _CENTURY else 0
        at = datetime(_YEAR_MIN + century + year, month, day, _hour(data[2]), minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return timegm(at.timetuple())


def _hour(byte: int) -> int:
    if not byte & _TWELVE_HOURS:
        return _from_bcd(byte)
    hour = _from_bcd(byte & 0x1F)
    if not 1 <= hour <= 12:
        raise ValueError("no hour")
    return hour % 12 + (12 if byte & _AFTERNOON else 0)


def _encoded(utc_s: int) -> bytes:
    at = datetime.fromtimestamp(utc_s, UTC)
    if not _YEAR_MIN <= at.year <= _YEAR_MAX:
        raise ValueError(f"the chip knows {_YEAR_MIN} to {_YEAR_MAX}, not {at.year}")
    century = _CENTURY if at.year >= _YEAR_MIN + 100 else 0
    fields = (at.second, at.minute, at.hour, at.isoweekday(), at.day, at.month, at.year % 100)
    data = bytearray(one // 10 << 4 | one % 10 for one in fields)
    data[5] |= century
    return bytes(data)


def _from_bcd(byte: int) -> int:
    tens, ones = byte >> 4, byte & 0xF
    if tens > 9 or ones > 9:
        raise ValueError("no digit")
    return tens * 10 + ones


def kernel_owns(bus: int, *, address: int = ADDRESS, root: Path = Path("/")) -> bool:
    """Whether a driver of the kernel has the chip; messages of ours would then go between its own."""
    return (root / f"sys/bus/i2c/devices/{bus}-{address:04x}/driver").exists()


class KernelClock:
    """A clock chip that the kernel owns. The kernel gives no time while the chip's oscillator-stop flag is set."""

    def __init__(self, *, root: Path = Path("/"), number: int = 0) -> None:
        self._path = root / f"sys/class/rtc/rtc{number}/since_epoch"

    def read(self) -> ChipTime:
        """The time; not believed when the kernel cannot give it. Raises CardLostError when there is no such clock."""
        try:
            return ChipTime(int(self._path.read_text()[:20]), trusted=True)
        except FileNotFoundError as error:
            raise CardLostError(N_("the kernel has no clock chip: %(why)s"), why=error) from error
        except (OSError, ValueError):
            return ChipTime(0, trusted=False)


class ClockChipCheck:
    """Implements `hardware.part_watch.Check` for the clock chip."""

    part: Final = Part.CLOCK_CHIP
    period_s: Final = 600.0

    def __init__(self, chip: Ds3231 | KernelClock) -> None:
        self._chip = chip

    async def look(self) -> Condition:
        """Whether it answers and has kept its time. Raises CardLostError."""
        told = await in_chip_thread(self._chip.read)
        if told.trusted:
            return Condition(self.part, True)
        return Condition(self.part, False, "it has lost its time: replace its battery, then it is set again")
