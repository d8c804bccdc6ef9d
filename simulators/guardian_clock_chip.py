"""The clock chip DS3231 as its registers show it; runs under CPython. Source: DS3231 data sheet 19-5170 rev. 10."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

ADDRESS: Final = 0x68
_REGISTERS: Final = 19
_STATUS: Final = 0x0F
_STOPPED: Final = 0x80
_UNSET_MS: Final = 946_684_800_000.0
"""2000-01-01: what it begins with after its battery was put in."""


class SimClockChip:
    """Sits on a `SimI2cBus` at 0x68.

    Args:
        mono_ms: the clock its crystal follows.
        wall_ms: the time it was set to when the model was made; None for a chip whose battery was taken out.
    """

    def __init__(self, mono_ms: Callable[[], float], *, wall_ms: float | None) -> None:
        self._mono_ms = mono_ms
        self._registers = bytearray(_REGISTERS)
        self._pointer = 0
        self._offset_ms = (_UNSET_MS if wall_ms is None else wall_ms) - mono_ms()
        self._registers[_STATUS] = _STOPPED if wall_ms is None else 0

    @property
    def stopped(self) -> bool:
        """Whether it says that its oscillator has stopped."""
        return bool(self._registers[_STATUS] & _STOPPED)

    @property
    def wall_ms(self) -> float:
        """What it shows."""
        return self._mono_ms() + self._offset_ms

    def shift_ms(self, by_ms: float) -> None:
        """It shows another time from now on."""
        self._offset_ms += by_ms

    def read(self, count: int) -> bytes:
        """From the pointer on, round and round."""
        self._registers[:7] = _coded(datetime.fromtimestamp(self.wall_ms / 1000, UTC))
        data = bytes(self._registers[(self._pointer + at) % _REGISTERS] for at in range(count))
        self._pointer = (self._pointer + count) % _REGISTERS
        return data

    def write(self, data: bytes) -> None:
        """The first byte sets the pointer, the others follow it; all seven of the time belong together."""
        self._pointer, values = data[0] % _REGISTERS, data[1:]
        if self._pointer == 0 and len(values) >= 7:
            self._offset_ms = _decoded(values).timestamp() * 1000 - self._mono_ms()
        for at, value in enumerate(values):
            self._registers[(self._pointer + at) % _REGISTERS] = value


def _coded(time: datetime) -> bytes:
    numbers = (time.second, time.minute, time.hour, time.isoweekday(), time.day, time.month, time.year - 2000)
    return bytes(number // 10 << 4 | number % 10 for number in numbers)


def _decoded(registers: bytes) -> datetime:
    second, minute, hour, _, day, month, year = ((one >> 4) * 10 + (one & 15) for one in registers[:7])
    return datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
