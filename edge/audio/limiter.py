"""Keeps the output under a ceiling, without looking ahead: no added delay.

A frame that would go over is turned down from its first millisecond on, by just as much as its peak needs; the gain
comes back in a straight line. Peaks inside that first millisecond are held at the ceiling itself, which bends a wave
and never breaks it.
"""

from __future__ import annotations

import audioop
from array import array
from typing import Final

from edge.ports import FRAME_SAMPLES, SAMPLE_RATE

CEILING: Final = int(32_767 * 10 ** (-1 / 20))
"""-1 dBFS, the peak that the controller's levelling allows too."""
_ATTACK_SAMPLES: Final = SAMPLE_RATE // 1000
_RELEASE_PER_FRAME: Final = 0.1


class Limiter:
    """One gain that follows the peaks."""

    def __init__(self) -> None:
        self._gain = 1.0

    def apply(self, frame: bytes) -> bytes:
        """The frame, nowhere above the ceiling."""
        peak = audioop.max(frame, 2)
        if self._gain == 1.0 and peak <= CEILING:
            return frame
        wanted = CEILING / peak if peak > CEILING else 1.0
        if wanted < self._gain:
            return self._turn_down(frame, wanted)
        return self._turn_up(frame, min(wanted, self._gain + _RELEASE_PER_FRAME))

    def _turn_down(self, frame: bytes, wanted: float) -> bytes:
        split = min(_ATTACK_SAMPLES * 2, len(frame))
        head = _slope(frame[:split], begin=self._gain, end=wanted)
        self._gain = wanted
        return head + _held(audioop.mul(frame[split:], 2, wanted))

    def _turn_up(self, frame: bytes, wanted: float) -> bytes:
        risen = _slope(frame, begin=self._gain, end=wanted)
        self._gain = wanted
        return risen


def _slope(samples: bytes, *, begin: float, end: float) -> bytes:
    values = array("h", samples)
    step = (end - begin) / max(1, len(values))
    level = begin
    for index, value in enumerate(values):
        level += step
        values[index] = max(-CEILING, min(CEILING, int(value * level)))
    return values.tobytes()


def _held(samples: bytes) -> bytes:
    """Rounding may leave a peak one step above the ceiling."""
    if audioop.max(samples, 2) <= CEILING:
        return samples
    return _slope(samples, begin=1.0, end=1.0)


assert FRAME_SAMPLES > _ATTACK_SAMPLES
