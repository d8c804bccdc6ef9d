"""A gain that moves in straight lines, so no change of source or volume is heard as a click."""

from __future__ import annotations

import audioop
from array import array
from typing import Final

from edge.ports import SAMPLE_RATE

RAMP_MS: Final = 20
RAMP_SAMPLES: Final = SAMPLE_RATE * RAMP_MS // 1000


class Fader:
    """Multiplies samples by a gain between 0 and 1 that reaches a new value within a ramp."""

    def __init__(self, level: float = 0.0) -> None:
        self._level = level
        self._target = level
        self._left = 0

    @property
    def target(self) -> float:
        """The gain it has, or is moving to."""
        return self._target

    def to(self, target: float, *, samples: int = RAMP_SAMPLES) -> None:
        """Moves to a gain over so many samples from the next one on."""
        if target != self._target or self._left > samples:
            self._target = target
            self._left = samples

    def apply(self, samples: bytes) -> bytes:
        """The samples with the gain on them; as many as came in."""
        if not self._left:
            return self._steady(samples)
        ramped = min(self._left, len(samples) // 2)
        return self._ramp(samples[: ramped * 2]) + self._steady(samples[ramped * 2 :])

    def _steady(self, samples: bytes) -> bytes:
        if self._level == 1.0 or not samples:
            return samples
        if self._level == 0.0:
            return bytes(len(samples))
        return audioop.mul(samples, 2, self._level)

    def _ramp(self, samples: bytes) -> bytes:
        values = array("h", samples)
        step = (self._target - self._level) / self._left
        level = self._level
        for index, value in enumerate(values):
            level += step
            values[index] = int(value * level)
        self._left -= len(values)
        self._level = level if self._left else self._target
        return values.tobytes()


def falling(value: int, samples: int) -> bytes:
    """A straight line from a sample's value to nothing: what follows sound that broke off."""
    return array("h", (value * (samples - 1 - index) // samples for index in range(samples))).tobytes()
