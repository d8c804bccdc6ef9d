"""The DS3231 as its registers show it: a clock in decimal digits that drifts, and stops without a battery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from simulators.i2c_bus import NOBODY

_REGISTERS = 0x13


class Ds3231Chip:
    """One chip. Sits on a `SimI2cBus` at 0x68.

    Args:
        now_ms: the clock it lives by.

    Attributes:
        gone: it does not acknowledge.
        drift_ppm: how much faster than `now_ms` it runs.
        celsius: its temperature.
    """

    def __init__(self, now_ms: Callable[[], float]) -> None:
        self._now_ms = now_ms
        self.gone = False
        self.drift_ppm = 0.0
        self.celsius = 25.0
        self._pointer = 0
        self._other = bytearray(_REGISTERS)
        self.lose_battery()

    def lose_battery(self) -> None:
        """Supply and battery fail: it begins anew in 2000 with the oscillator-stop flag set."""
        self._set_ms = self._now_ms()
        self._set_to = datetime(2000, 1, 1, tzinfo=UTC)
        self._other[0x0E], self._other[0x0F] = 0x1C, 0x88

    def lose_supply(self) -> None:
        """A power cut: it runs on its battery, unless it was told (EOSC) to stand still on that."""
        if self._other[0x0E] & 0x80:
            self._other[0x0F] |= 0x80

    def read(self, count: int) -> bytes:
        """From the pointer on, round and round; the pointer goes on with it."""
        self._check()
        registers = self._registers()
        data = bytes(registers[(self._pointer + at) % _REGISTERS] for at in range(count))
        self._pointer = (self._pointer + count) % _REGISTERS
        return data

    def write(self, data: bytes) -> None:
        """Pointer, then registers; what is written to the time takes hold together."""
        self._check()
        if not data:
            return
        self._pointer = data[0] % _REGISTERS
        registers = self._registers()
        for byte in data[1:]:
            if self._pointer == 0x0F:
                byte = byte & 0x7F | byte & registers[0x0F] & 0x80  # the flag can be cleared, not set
            registers[self._pointer] = byte
            self._pointer = (self._pointer + 1) % _REGISTERS
        if len(data) > 1 and data[0] <= 6:
            self._take_time(registers)
        self._other[7:] = registers[7:]

    def _check(self) -> None:
        if self.gone:
            raise OSError(NOBODY, "nobody acknowledges")

    def _take_time(self, registers: bytearray) -> None:
        tens = [one >> 4 for one in registers[:7]]
        tens[2], tens[5] = tens[2] & 3, tens[5] & 1
        second, minute, hour, _, day, month, year = (tens[at] * 10 + (registers[at] & 0xF) for at in range(7))
        century = 100 if registers[5] & 0x80 else 0
        self._set_to = datetime(2000 + century + year, month, day, hour, minute, second, tzinfo=UTC)
        self._set_ms = self._now_ms()

    def _registers(self) -> bytearray:
        passed_ms = (self._now_ms() - self._set_ms) * (1 + self.drift_ppm / 1e6)
        at = self._set_to + timedelta(milliseconds=passed_ms)
        fields = (at.second, at.minute, at.hour, at.isoweekday(), at.day, at.month, at.year % 100)
        registers = bytearray(self._other)
        registers[:7] = bytes(one // 10 << 4 | one % 10 for one in fields)
        registers[5] |= 0x80 if at.year >= 2100 else 0
        quarters = round(self.celsius * 4)
        registers[0x11], registers[0x12] = quarters >> 2 & 0xFF, (quarters & 3) << 6
        return registers
