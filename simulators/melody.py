"""Made-up programme sound: melodies that never repeat themselves within their length, and noise.

Each note is one wave repeated, and grows weaker from wave to wave, so everything is made by joining bytes.
"""

from __future__ import annotations

import audioop
import math
import random
from array import array
from functools import lru_cache
from typing import Final

from edge.audio.fader import RAMP_SAMPLES, Fader
from edge.ports import SAMPLE_RATE

_SCALE_HZ: Final = (196.0, 220.0, 261.6, 293.7, 329.6, 392.0, 440.0, 523.3, 587.3, 659.3)
_OVERTONES: Final = ((1, 0.6), (2, 0.25), (3, 0.1))
_AMPLITUDE: Final = 13_000
_FADE_PER_S: Final = 0.15


def melody(seed: int, *, duration_ms: int) -> bytes:
    """A melody; the same seed gives the same one."""
    chance = random.Random(seed)
    wanted = SAMPLE_RATE * duration_ms // 1000 * 2
    sound = bytearray()
    while len(sound) < wanted:
        sound += _note(chance.choice(_SCALE_HZ), chance.randrange(120, 480))
    return _ended_softly(bytes(sound[:wanted]))


@lru_cache(maxsize=1)
def noise() -> bytes:
    """A second of white noise, as an FM receiver makes it without a station."""
    return audioop.mul(random.Random(5).randbytes(SAMPLE_RATE * 2), 2, 0.15)


def _ended_softly(sound: bytes) -> bytes:
    """A station repeats its melody, and a step at the seam would be a click of our own making."""
    fader = Fader(1.0)
    fader.to(0.0)
    head = max(0, len(sound) - RAMP_SAMPLES * 2)
    return sound[:head] + fader.apply(sound[head:])


def _note(pitch_hz: float, duration_ms: int) -> bytes:
    wave = _wave(round(SAMPLE_RATE / pitch_hz))
    fade = math.exp(math.log(_FADE_PER_S) * len(wave) / 2 / SAMPLE_RATE)
    waves = max(1, SAMPLE_RATE * duration_ms // 1000 * 2 // len(wave))
    return b"".join(audioop.mul(wave, 2, fade**count) for count in range(waves))


@lru_cache(maxsize=len(_SCALE_HZ))
def _wave(length: int) -> bytes:
    angles = (2 * math.pi * index / length for index in range(length))
    return array(
        "h", (int(_AMPLITUDE * sum(part * math.sin(order * angle) for order, part in _OVERTONES)) for angle in angles)
    ).tobytes()
