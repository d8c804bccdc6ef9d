"""The clock chip DS3231 on the guardian's own bus: kept in UTC, read only while its oscillator has never stopped.

Source: Analog Devices (Maxim), DS3231 data sheet 19-5170 rev. 10, table of the timekeeping registers.
"""

ADDRESS = 0x68
_STATUS = 0x0F
_STOPPED = 0x80
_CENTURY_DAY = 10_957
"""Days from 1970-01-01 to 2000-01-01."""
_DAY_MS = 86_400_000

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hardware.si4703 import Bus


class Rtc:
    """Reads and sets it. Whatever goes wrong on the bus means: it has no time."""

    def __init__(self, bus: "Bus") -> None:
        self._bus = bus

    def wall_ms(self) -> int | None:
        """Milliseconds since 1970; None without a chip, or when it cannot be believed."""
        try:
            self._bus.write(ADDRESS, b"\x00")
            data = self._bus.read(ADDRESS, 16)
        except OSError:
            return None
        return None if len(data) != 16 or data[_STATUS] & _STOPPED else _time_of(data)

    def set(self, wall_ms: int) -> None:
        """Sets it and clears the note that it had stopped."""
        try:
            self._bus.write(ADDRESS, b"\x00" + _registers(wall_ms))
            self._bus.write(ADDRESS, bytes([_STATUS, 0]))
        except OSError:
            pass


def _time_of(data: bytes) -> int | None:
    """From the registers 0 to 6; None for what is no time."""
    second, minute, hour = _number(data[0]), _number(data[1]), _number(data[2] & 0x3F)
    day, month, year = _number(data[4]), _number(data[5] & 0x1F), _number(data[6])
    if data[2] & 0x40 or second > 59 or minute > 59 or hour > 23 or not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    days = _CENTURY_DAY + days_since_2000(year, month, day)
    return days * _DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000


def days_since_2000(year: int, month: int, day: int) -> int:
    """Days of the years 2000 to 2099, in which every fourth is a leap year."""
    lengths = (31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return year * 365 + (year + 3) // 4 + sum(lengths[: month - 1]) + day - 1


def _registers(wall_ms: int) -> bytes:
    days, rest = divmod(wall_ms, _DAY_MS)
    days -= _CENTURY_DAY
    year = max(0, min(99, days * 4 // 1461))
    while year > 0 and days_since_2000(year, 1, 1) > days:
        year -= 1
    month = 12
    while month > 1 and days_since_2000(year, month, 1) > days:
        month -= 1
    day = days - days_since_2000(year, month, 1) + 1
    seconds = rest // 1000
    weekday = (days + 5) % 7 + 1
    numbers = (seconds % 60, seconds // 60 % 60, seconds // 3600, weekday, day, month, year)
    return bytes([number // 10 << 4 | number % 10 for number in numbers])


def _number(bcd: int) -> int:
    return (bcd >> 4) * 10 + (bcd & 0xF)
