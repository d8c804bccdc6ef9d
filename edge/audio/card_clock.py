"""Tells when the next written sample will be heard, better than the whole milliseconds of the clock.

The clock is read before the card's delay, and it rounds down, so every error makes an observation too early, never
too late: of the last second's observations the latest is the true one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from edge.ports import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE
from protocol.clock import MonoMs, Now, WallMs

_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000
_OBSERVATIONS: Final = 50


class CardClock:
    """The line on which the card consumes frames: one every 20 ms."""

    def __init__(self) -> None:
        self._starts: deque[float] = deque(maxlen=_OBSERVATIONS)
        self._frames = 0

    def reset(self) -> None:
        """Forgets the line: the card starts anew."""
        self._starts.clear()
        self._frames = 0

    def heard_ms(self, now: MonoMs, delay_ms: float) -> float:
        """When the first sample of the frame about to be written is heard. To be called once for each frame."""
        self._starts.append(now + delay_ms - self._frames * FRAME_MS)
        heard = max(self._starts) + self._frames * FRAME_MS
        self._frames += 1
        return heard


@dataclass(frozen=True, slots=True)
class Line:
    """Samples of the bus against time, for the frame about to be rendered.

    Attributes:
        now: the present.
        position: the frame's first sample.
        heard_ms: when that is heard, on the monotonic clock.
    """

    now: Now
    position: int
    heard_ms: float

    @property
    def end(self) -> int:
        """The sample after the frame."""
        return self.position + FRAME_SAMPLES

    def position_at(self, mono: float) -> int:
        """The sample that is heard at an instant."""
        return self.position + round((mono - self.heard_ms) * _SAMPLES_PER_MS)

    def mono_at(self, position: int) -> float:
        """When a sample is heard, on the monotonic clock."""
        return self.heard_ms + (position - self.position) / _SAMPLES_PER_MS

    def wall_at(self, position: int) -> WallMs:
        """The wall time at which a sample is heard."""
        return WallMs(self.now.wall + round(self.mono_at(position) - self.now.mono))

    def mono_of(self, wall: WallMs) -> MonoMs:
        """The monotonic instant of a wall time."""
        return MonoMs(self.now.mono + wall - self.now.wall)
