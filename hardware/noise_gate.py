"""Shuts the microphone while nobody speaks, so that a village does not hear a room hiss at a hundred watts.

The gate learns how loud the room is: a lower level is believed quickly, a higher one slowly (6 dB a second),
because speech has a gap every few hundred milliseconds and noise has none. It opens 9 dB above the room, within
limits, and stays open until the level has been less than 4 dB above it for 400 ms: the ends of words are quiet.
Microphones differ by 20 dB and more, so a threshold that stands still would keep some of them shut for ever.
"""

from __future__ import annotations

import math
from typing import Final

BLOCK_MS: Final = 10
SHUT_GAIN: Final = 0.01
"""-40 dB."""
HOLD_MS: Final = 400
_OPENS_ABOVE_DB: Final = 9.0
_SHUTS_BELOW_DB: Final = 4.0
_FIRST_FLOOR_DB: Final = -55.0
_FLOOR_DB_MIN: Final = -67.0
_FLOOR_DB_MAX: Final = -43.0
_RISE_DB: Final = 6.0 * BLOCK_MS / 1000
_FALL: Final = 0.3
_CLOSING: Final = 10 ** (-4 / 20)
"""Down by 4 dB a block: shut within 100 ms."""
_FULL_SCALE: Final = 32_768


def decibels(rms: int) -> float:
    """An RMS of 16-bit samples against full scale."""
    return 20 * math.log10(max(rms, 1) / _FULL_SCALE)


class NoiseGate:
    """Judges blocks of BLOCK_MS, one after the other.

    Attributes:
        floor_db: how loud it believes the room to be.
        open: whether somebody speaks.
    """

    def __init__(self) -> None:
        self.floor_db = _FIRST_FLOOR_DB
        self.open = False
        self._held_ms = 0
        self._gain = SHUT_GAIN

    def restart(self) -> None:
        """The microphone is opened anew: the room is still the same."""
        self.open, self._held_ms, self._gain = False, 0, SHUT_GAIN

    def judge(self, level_db: float) -> bool:
        """Takes a block's level; answers whether somebody speaks in it, and not only shortly before."""
        above_db = level_db - self.floor_db
        self._learn(level_db)
        speaks = above_db >= (_SHUTS_BELOW_DB if self.open else _OPENS_ABOVE_DB)
        self._held_ms = HOLD_MS if speaks else max(0, self._held_ms - BLOCK_MS)
        self.open = self._held_ms > 0
        return speaks and above_db >= _OPENS_ABOVE_DB

    def gain(self) -> float:
        """The gain to reach by the end of the block before the one judged last: open at once, shut gently."""
        self._gain = 1.0 if self.open else max(SHUT_GAIN, self._gain * _CLOSING)
        return self._gain

    def _learn(self, level_db: float) -> None:
        if level_db < self.floor_db:
            floor_db = self.floor_db + _FALL * (level_db - self.floor_db)
        else:
            floor_db = min(level_db, self.floor_db + _RISE_DB)
        self.floor_db = min(max(floor_db, _FLOOR_DB_MIN), _FLOOR_DB_MAX)
