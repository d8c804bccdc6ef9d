"""Levels: decibels to gains, and what a stretch of sound measures.

A level is the RMS of the samples against full scale (32,768) in hundredths of a decibel, so a sine that fills the
whole range measures -301. Digital silence is LEVEL_SILENCE_CDB.
"""

from __future__ import annotations

import audioop
import math
from typing import Final

from edge.ports import FRAME_SAMPLES, SAMPLE_RATE
from protocol.report import LEVEL_SILENCE_CDB

_FULL_SCALE: Final = 32_768
_SECOND_FRAMES: Final = SAMPLE_RATE // FRAME_SAMPLES


def gain(attenuation_cdb: int) -> float:
    """The factor that lowers a sound by so many hundredths of a decibel."""
    return float(10 ** (-attenuation_cdb / 2000))


def level_cdb(power: float) -> int:
    """The level of a mean square."""
    if power <= 0:
        return LEVEL_SILENCE_CDB
    return max(LEVEL_SILENCE_CDB, min(0, round(1000 * math.log10(power / _FULL_SCALE**2))))


class Loudness:
    """Mean level of all the samples that were added."""

    def __init__(self) -> None:
        self._energy = 0.0
        self._samples = 0

    def add(self, samples: bytes) -> None:
        """Counts samples in; an empty stretch is fine."""
        count = len(samples) // 2
        self._energy += float(audioop.rms(samples, 2)) ** 2 * count
        self._samples += count

    @property
    def level_cdb(self) -> int:
        """Mean level so far; silence when nothing was added."""
        return level_cdb(self._energy / self._samples) if self._samples else LEVEL_SILENCE_CDB


class PowerMean:
    """Mean of levels, taken where levels may be averaged: as powers."""

    def __init__(self) -> None:
        self._power = 0.0
        self._count = 0

    def add(self, level: int) -> None:
        """Counts a level in hundredths of dBFS in."""
        self._power += 10 ** (level / 1000)
        self._count += 1

    @property
    def level_cdb(self) -> int | None:
        """Mean so far, None when there is none."""
        return level_cdb(self._power / self._count * _FULL_SCALE**2) if self._count else None


class SecondMeter:
    """Mean level of each second of frames."""

    def __init__(self) -> None:
        self._loudness = Loudness()
        self._frames = 0

    def add(self, frame: bytes) -> int | None:
        """Counts a frame in; tells the level when it completes a second."""
        self._loudness.add(frame)
        self._frames += 1
        if self._frames < _SECOND_FRAMES:
            return None
        level = self._loudness.level_cdb
        self._loudness, self._frames = Loudness(), 0
        return level
