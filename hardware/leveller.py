"""Brings every voice to the level of a programme: who whispers is lifted, who shouts is turned down.

Only speech is measured, and of speech only what is not a gap. The gain rises slowly, so that it does not breathe
between words, and falls fast. A peak is seen before it is let through (the chain looks one block ahead), so it never
clips here; the limiter of the sound path guards what comes after.
"""

from __future__ import annotations

import math
from typing import Final

from hardware.noise_gate import BLOCK_MS

TARGET_DB: Final = -18.0
"""RMS against full scale, where programmes are brought by the controller."""
GAIN_DB_MAX: Final = 24.0
GAIN_DB_MIN: Final = -15.0
_REMEMBERED_DB_MAX: Final = 12.0
"""What a new speaker starts with at most, however quiet the last one was."""
_RISE_DB: Final = 8.0 * BLOCK_MS / 1000
_FALL_DB: Final = 60.0 * BLOCK_MS / 1000
_MEMORY_MS: Final = 300
_GAP_DB: Final = 15.0
_PEAK_MAX: Final = 0.9 * 32_767


class Leveller:
    """Finds the gain for blocks of BLOCK_MS.

    Attributes:
        gain_db: of the last block.
    """

    def __init__(self) -> None:
        self.gain_db = 0.0
        self._power: float | None = None

    def restart(self) -> None:
        """The microphone is opened anew, most often by the same person."""
        self.gain_db = min(self.gain_db, _REMEMBERED_DB_MAX)
        self._power = None

    def gain(self, level_db: float, *, speech: bool, peak: int) -> float:
        """The gain to reach by the end of a block.

        Args:
            level_db: of the block.
            speech: whether somebody speaks in it.
            peak: the largest sample, by its amount, of it and its neighbours.
        """
        if speech:
            self._measure(level_db)
            self._follow()
        if peak:
            self.gain_db = min(self.gain_db, 20 * math.log10(_PEAK_MAX / peak))
        return float(10 ** (self.gain_db / 20))

    def _measure(self, level_db: float) -> None:
        power = 10 ** (level_db / 10)
        if self._power is None:
            self._power = power
        elif power > self._power * 10 ** (-_GAP_DB / 10):
            self._power += (power - self._power) * BLOCK_MS / _MEMORY_MS

    def _follow(self) -> None:
        assert self._power is not None, "measured before"
        wanted_db = TARGET_DB - 10 * math.log10(self._power)
        wanted_db = min(max(wanted_db, GAIN_DB_MIN), GAIN_DB_MAX)
        self.gain_db += min(max(wanted_db - self.gain_db, -_FALL_DB), _RISE_DB)
