"""Attention tones, made from nothing but arithmetic: an alert must sound before any file, voice or network is there.

Whole frames of each tone are kept after the first use; `prepare` makes them before they are needed. A tone never
steps: it is built from a running phase and starts and ends at rest.
"""

from __future__ import annotations

import audioop
import math
from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final

from edge.ports import FRAME_BYTES, FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE
from protocol.alert import Tone

TONE_AMPLITUDE: Final = 10 ** (-9 / 20) * 32_767
"""-9 dBFS: above levelled speech, and far enough below the ceiling to carry a ducked programme as well."""
_TABLE_SIZE: Final = 4096
_TABLE: Final = [math.sin(2 * math.pi * index / _TABLE_SIZE) for index in range(_TABLE_SIZE)]
_EDGE_SAMPLES: Final = SAMPLE_RATE // 100
_CHIME_NOTES_HZ: Final = (659.25, 523.25, 587.33, 392.0)


def prepare() -> None:
    """Makes the frames of all tones, so the first alert does not wait for arithmetic."""
    for tone in Tone:
        _period(tone)


def tone_frames(tone: Tone, duration_ms: int) -> tuple[bytes, ...]:
    """The whole tone, cut to length; the last frame is padded with silence."""
    samples = SAMPLE_RATE * duration_ms // 1000
    period = _period(tone)
    sound = (period * (samples * 2 // len(period) + 1))[: samples * 2]
    sound = _faded_out(sound).ljust(-(-duration_ms // FRAME_MS) * FRAME_BYTES, b"\0")
    return tuple(sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES))


@lru_cache(maxsize=len(Tone))
def _period(tone: Tone) -> bytes:
    """One turn of a tone, which may be repeated without a step; whole frames long."""
    if tone is Tone.TWO_TONE:
        return _two_tone()
    if tone is Tone.SWEEP:
        return _sweep()
    return _chime()


def _two_tone() -> bytes:
    """440 and 550 Hz, 500 ms each; both come to whole waves."""
    return _sine(440 for _ in range(SAMPLE_RATE // 2)) + _sine(550 for _ in range(SAMPLE_RATE // 2))


def _sweep() -> bytes:
    """500 to 1,200 Hz in 3.5 s, then a breath of 0.5 s: the "slow whoop" of NEN 2575."""
    count = SAMPLE_RATE * 7 // 2
    rising = _sine(500 + 700 * index / count for index in range(count))
    return _faded_in(_faded_out(rising)) + bytes(SAMPLE_RATE)


def _chime() -> bytes:
    """Four bell notes of 500 ms that die away: for drills and tests, gentler than an alarm."""
    return b"".join(_bell(note) for note in _CHIME_NOTES_HZ)


def _sine(pitches: Iterator[float]) -> bytes:
    values = array("h")
    phase = 0.0
    scale = _TABLE_SIZE / SAMPLE_RATE
    for pitch in pitches:
        values.append(int(TONE_AMPLITUDE * _TABLE[int(phase) % _TABLE_SIZE]))
        phase += pitch * scale
    return values.tobytes()


def _bell(pitch: float) -> bytes:
    values = array("h", _sine(pitch for _ in range(SAMPLE_RATE // 2)))
    fall = math.exp(-1 / (SAMPLE_RATE * 0.12))
    strength = 1.0
    for index, value in enumerate(values):
        values[index] = int(value * strength)
        strength *= fall
    return _faded_in(_faded_out(values.tobytes()))


def _faded_out(samples: bytes) -> bytes:
    return audioop.reverse(_faded_in(audioop.reverse(samples, 2)), 2)


def _faded_in(samples: bytes) -> bytes:
    values = array("h", samples)
    for index, value in enumerate(islice(values, _EDGE_SAMPLES)):
        values[index] = value * index // _EDGE_SAMPLES
    return values.tobytes()


assert SAMPLE_RATE // 2 % FRAME_SAMPLES == 0
