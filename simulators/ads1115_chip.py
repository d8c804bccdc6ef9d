"""The ADS1115 as its registers show it: pointer, configuration, single conversions that take their time, ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simulators.i2c_bus import NOBODY

_RANGES_UV: Final = (6_144_000, 4_096_000, 2_048_000, 1_024_000, 512_000, 256_000, 256_000, 256_000)
_SAMPLES_A_SECOND: Final = (8, 16, 32, 64, 128, 250, 475, 860)
_CONFIG_AT_RESET: Final = 0x8583


class Ads1115Chip:
    """One chip. Sits on a `SimI2cBus` at 0x48.

    Args:
        now_ms: the clock it lives by.
        inputs_uv: what stands at input 0 to 3 against ground, in microvolts.

    Attributes:
        gone: it does not acknowledge.
        stuck: no conversion ends.
    """

    def __init__(self, now_ms: Callable[[], float], inputs_uv: Callable[[int], float]) -> None:
        self._now_ms, self._inputs_uv = now_ms, inputs_uv
        self.gone = self.stuck = False
        self._pointer = 0
        self._words = [0, _CONFIG_AT_RESET, 0x8000, 0x7FFF]
        self._ends_ms: float | None = None

    def read(self, count: int) -> bytes:
        """The register pointed to; what is read beyond it is ones."""
        self._check()
        self._advance()
        word = self._words[self._pointer]
        if self._pointer == 1:
            word = word & 0x7FFF | (0x8000 if self._ends_ms is None else 0)
        return (word.to_bytes(2, "big") + b"\xff" * count)[:count]

    def write(self, data: bytes) -> None:
        """Pointer, and a word for a register that can be written."""
        self._check()
        self._advance()
        if data:
            self._pointer = data[0] & 3
        if len(data) >= 3 and self._pointer > 0:
            self._words[self._pointer] = data[1] << 8 | data[2]
            if self._pointer == 1 and data[1] & 0x80 and data[1] & 0x01 and self._ends_ms is None:
                rate = _SAMPLES_A_SECOND[data[2] >> 5]
                self._ends_ms = self._now_ms() + 1000 / rate + 0.025

    def _check(self) -> None:
        if self.gone:
            raise OSError(NOBODY, "nobody acknowledges")

    def _advance(self) -> None:
        if self._ends_ms is not None and self._now_ms() >= self._ends_ms and not self.stuck:
            self._words[0] = self._converted() & 0xFFFF
            self._ends_ms = None

    def _converted(self) -> int:
        config = self._words[1]
        multiplexer, full_uv = config >> 12 & 7, _RANGES_UV[config >> 9 & 7]
        if multiplexer >= 4:
            value_uv = self._inputs_uv(multiplexer - 4)
        else:
            above, below = ((0, 1), (0, 3), (1, 3), (2, 3))[multiplexer]
            value_uv = self._inputs_uv(above) - self._inputs_uv(below)
        return max(-0x8000, min(0x7FFF, round(value_uv * 0x8000 / full_uv)))
