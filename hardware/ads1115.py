"""The ADS1115, an analogue-to-digital converter with four inputs and 16 bits, one conversion at a time.

`convert` is a procedure that tells how long it wants to wait, see `hardware.steps`; a conversion at 860 samples a
second takes 1.2 ms. Source: Texas Instruments, ADS111x data sheet SBAS444, sections 8.3 and 8.6 (registers).
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Final, Protocol

ADDRESS: Final = 0x48
CHANNELS: Final = 4
RANGES_UV: Final = (6_144_000, 4_096_000, 2_048_000, 1_024_000, 512_000, 256_000)
"""Full scale of each setting of PGA, in microvolts; an input never goes above the supply, whatever the range."""
_CONVERSION, _CONFIG = 0, 1
_START_OR_READY: Final = 1 << 15
_SINGLE_ENDED: Final = 0b100
_SINGLE_SHOT: Final = 1 << 8
_860_A_SECOND: Final = 0b111 << 5
_NO_COMPARATOR: Final = 0b11
_CONVERSION_MS: Final = 1.4
"""1/860 s, 10 % for its oscillator and some for waking up."""
_POLLS_MAX: Final = 10


class Bus(Protocol):
    """Plain I2C messages; both raise OSError when nobody acknowledges."""

    def read(self, address: int, count: int) -> bytes:
        """One read message."""
        ...

    def write(self, address: int, data: bytes) -> None:
        """One write message."""
        ...


class Ads1115:
    """The converter on a bus; for one task at a time."""

    def __init__(self, bus: Bus, *, address: int = ADDRESS) -> None:
        self._bus, self._address = bus, address

    def convert(self, channel: int, *, range_uv: int = 4_096_000) -> Generator[float, None, int]:
        """Measures one input against ground and returns microvolts; at the end of the range it stays there.

        Args:
            channel: 0 to 3.
            range_uv: one of RANGES_UV.

        Raises:
            OSError: nobody acknowledges.
            TimeoutError: the conversion does not end (an OSError, too).
        """
        assert 0 <= channel < CHANNELS, "the chip has four inputs"
        gain = RANGES_UV.index(range_uv)
        config = (
            _START_OR_READY
            | (_SINGLE_ENDED | channel) << 12
            | gain << 9
            | _SINGLE_SHOT
            | _860_A_SECOND
            | _NO_COMPARATOR
        )
        self._bus.write(self._address, bytes((_CONFIG, config >> 8, config & 0xFF)))
        for _ in range(_POLLS_MAX):
            yield _CONVERSION_MS
            if self._word() & _START_OR_READY:
                break
        else:
            raise TimeoutError("the converter's conversion does not end")
        self._bus.write(self._address, bytes((_CONVERSION,)))
        word = self._word()
        return (word - 0x10000 if word & 0x8000 else word) * range_uv // 0x8000

    def _word(self) -> int:
        """The register pointed to; the pointer stays where the last write put it."""
        data = self._bus.read(self._address, 2)
        if len(data) != 2:
            raise OSError(f"the converter gave {len(data)} bytes instead of 2")
        return int.from_bytes(data, "big")
