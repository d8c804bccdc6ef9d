"""Judges what was heard from the samples alone: is this sound in there, where, how well, and are there gaps.

A reference is looked for by normalised cross-correlation at 8 kHz, so that neither volume nor coding matters; 1 is
the very same wave. The place is then refined at 48 kHz.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge.audio.level import Loudness
from edge.ports import SAMPLE_RATE
from simulators.horn import SAMPLES_PER_MS, Heard

Wave = NDArray[np.float64]
_DECIMATION: Final = 6
_SILENT_RMS: Final = 32_768 * 10 ** (-50 / 20)
_WINDOW_MS: Final = 10
_FEW_PLACES: Final = 64


@dataclass(frozen=True, slots=True)
class Found:
    """The best place of a reference.

    Attributes:
        offset_ms: from the beginning of what was searched.
        correlation: from -1 to 1.
    """

    offset_ms: float
    correlation: float


def find(reference: bytes, sound: bytes) -> Found:
    """Where a reference fits best into a sound; both are samples at 48 kHz.

    Raises:
        ValueError: the sound is shorter than the reference, or the reference is silent.
    """
    place, correlation = _best(_decimated(reference), _decimated(sound))
    first = _wave(reference)
    near = max(0, (place - 2) * _DECIMATION)
    around = _wave(sound)[near : near + len(first) + 4 * _DECIMATION]
    if len(around) < len(first):
        return Found(place * _DECIMATION / SAMPLES_PER_MS, correlation)
    place, correlation = _best(first, around)
    return Found((near + place) / SAMPLES_PER_MS, correlation)


def longest_silence_ms(heard: Heard, begin_ms: float, end_ms: float) -> float:
    """The longest quiet stretch (below -50 dBFS) between two wall times, to 10 ms."""
    longest = run = 0
    for quiet in _quiet_windows(heard.between(begin_ms, end_ms).samples):
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return longest * float(_WINDOW_MS)


def first_sound_ms(heard: Heard) -> float | None:
    """Wall time of the first sample that is not nothing."""
    sounding = np.flatnonzero(np.frombuffer(heard.samples, dtype="<i2"))
    return heard.began_ms + int(sounding[0]) / SAMPLES_PER_MS if len(sounding) else None


def level_cdb(heard: Heard, begin_ms: float, end_ms: float) -> int:
    """Mean level between two wall times, in hundredths of dBFS."""
    loudness = Loudness()
    loudness.add(heard.between(begin_ms, end_ms).samples)
    return loudness.level_cdb


def largest_step(samples: bytes) -> int:
    """The largest difference between two neighbouring samples: a click is a large one."""
    wave = _wave(samples)
    return int(np.abs(np.diff(wave)).max()) if len(wave) > 1 else 0


def _wave(samples: bytes) -> Wave:
    return np.frombuffer(samples, dtype="<i2").astype(np.float64)


def _decimated(samples: bytes) -> Wave:
    wave = _wave(samples)
    whole = len(wave) - len(wave) % _DECIMATION
    means: Any = wave[:whole].reshape(-1, _DECIMATION).mean(axis=1)
    return np.asarray(means, dtype=np.float64)


def _best(reference: Wave, sound: Wave) -> tuple[int, float]:
    """Place and value of the highest normalised cross-correlation."""
    count = len(reference)
    if not count or len(sound) < count:
        raise ValueError("what is searched is shorter than what is looked for")
    reference = reference - reference.mean()
    strength = math.sqrt(float(np.dot(reference, reference)))
    if not strength:
        raise ValueError("a silent reference is everywhere")
    spread = np.sqrt(np.maximum(_running_variance(sound, count), 1e-9))
    values = _correlate(sound, reference) / (strength * np.maximum(spread, count**0.5))
    place = int(np.argmax(values))
    return place, float(values[place])


def _running_variance(sound: Wave, count: int) -> Wave:
    sums = np.concatenate(([0.0], np.cumsum(sound)))
    squares = np.concatenate(([0.0], np.cumsum(sound * sound)))
    total = sums[count:] - sums[:-count]
    variance: Wave = squares[count:] - squares[:-count] - total * total / count
    return variance


def _correlate(sound: Wave, reference: Wave) -> Wave:
    if len(sound) - len(reference) < _FEW_PLACES:
        return np.asarray(np.correlate(sound, reference, "valid"), dtype=np.float64)
    size = 1 << (len(sound) + len(reference)).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(reference, size))
    products: Wave = np.fft.irfft(spectrum, size)[: len(sound) - len(reference) + 1]
    return products


def _quiet_windows(samples: bytes) -> list[bool]:
    size = SAMPLE_RATE * _WINDOW_MS // 1000
    wave = _wave(samples)
    windows = wave[: len(wave) - len(wave) % size].reshape(-1, size)
    return [bool(quiet) for quiet in np.sqrt((windows * windows).mean(axis=1)) < _SILENT_RMS]
