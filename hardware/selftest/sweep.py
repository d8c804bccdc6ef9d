"""A sweep in steps, and finding it again in what a microphone heard: pure arithmetic, no library.

Twenty tones a third of an octave apart, from 160 Hz to 12.5 kHz, 160 ms each with soft edges. What comes back is cut
into frames of 20 ms, and in each frame the energy of every tone is measured (Goertzel). The pattern "tone k sounds
while it is played" is then looked for at every delay up to half a second. That is far cheaper than correlating
samples, does not mind an echo or a horn's resonance, and tells at once which part of the speech band arrives.
"""

from __future__ import annotations

import array
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hardware.interfaces import FRAME_SAMPLES, SAMPLE_RATE

TONES_HZ: Final = tuple(round(160 * 2 ** (step / 3) / 50) * 50 for step in range(20))
"""Multiples of 50 Hz: whole periods in a frame of 20 ms, so a pure tone of one leaks nothing into the others."""
TONE_FRAMES: Final = 8
DELAY_FRAMES_MAX: Final = 25
SWEEP_FRAMES: Final = len(TONES_HZ) * TONE_FRAMES
_EDGE_SAMPLES: Final = SAMPLE_RATE * 10 // 1000
_FULL_SCALE: Final = 32_767
FLOOR_DBFS: Final = -120.0


def sweep(level_dbfs: float) -> list[bytes]:
    """The frames to play; `level_dbfs` is the peak of each tone, 0 being full scale."""
    peak = _FULL_SCALE * 10 ** (level_dbfs / 20)
    frames = []
    for frequency_hz in TONES_HZ:
        length = TONE_FRAMES * FRAME_SAMPLES
        turn = 2 * math.pi * frequency_hz / SAMPLE_RATE
        tone = [round(peak * _edge(at, length) * math.sin(turn * at)) for at in range(length)]
        frames += [_packed(tone[at : at + FRAME_SAMPLES]) for at in range(0, length, FRAME_SAMPLES)]
    return frames


def _edge(at: int, length: int) -> float:
    return min(1.0, at / _EDGE_SAMPLES, (length - 1 - at) / _EDGE_SAMPLES)


def _packed(samples: Sequence[int]) -> bytes:
    packed = array.array("h", samples)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpacked(frame: bytes) -> array.array[int]:
    """The samples of one frame."""
    samples = array.array("h", frame)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def amplitude(samples: Sequence[int], frequency_hz: int) -> float:
    """The peak of one frequency in these samples, in units of a sample: Goertzel's recurrence."""
    turn = 2 * math.cos(2 * math.pi * frequency_hz / SAMPLE_RATE)
    one = two = 0.0
    for sample in samples:
        one, two = sample + turn * one - two, one
    power = one * one + two * two - turn * one * two
    return 2 * math.sqrt(max(power, 0.0)) / max(len(samples), 1)


def dbfs(peak: float) -> float:
    """A peak in units of a sample as dBFS of a sine, at least FLOOR_DBFS."""
    return max(FLOOR_DBFS, 20 * math.log10(max(peak, 1e-9) / _FULL_SCALE))


def rms_dbfs(samples: Sequence[int]) -> float:
    """Level as dBFS where a full-scale sine is 0."""
    power = sum(one * one for one in samples) / max(len(samples), 1)
    return dbfs(math.sqrt(2 * power))


@dataclass(frozen=True, slots=True)
class Heard:
    """The sweep as it came back.

    Attributes:
        correlation: 1 when every tone came at its time and nothing else; about 0 when nothing of it came.
        delay_ms: from the first frame heard to the first of the sweep, in steps of 20 ms.
        levels_dbfs: of each of TONES_HZ while it sounded.
        noise_dbfs: of the same tones while others sounded.
    """

    correlation: float
    delay_ms: int
    levels_dbfs: tuple[float, ...]
    noise_dbfs: tuple[float, ...]

    @property
    def level_dbfs(self) -> float:
        """The middle of the tones' levels."""
        return sorted(self.levels_dbfs)[len(self.levels_dbfs) // 2]

    def clear_hz(self, *, above_db: float = 10.0) -> tuple[int, ...]:
        """The tones that stood out of the noise."""
        pairs = zip(TONES_HZ, self.levels_dbfs, self.noise_dbfs, strict=True)
        return tuple(hz for hz, level, noise in pairs if level - noise > above_db and level > FLOOR_DBFS + above_db)


def find(frames: Sequence[bytes]) -> Heard:
    """Looks for the sweep in frames that begin when it began to be played, or up to half a second before."""
    samples = [unpacked(one) for one in frames[: SWEEP_FRAMES + DELAY_FRAMES_MAX]]
    heard = [[amplitude(one, hz) for one in samples] for hz in TONES_HZ]
    delay, correlation = max(((at, _match(heard, at)) for at in _delays(samples)), key=lambda found: found[1])
    levels, noises = zip(*(_inside(row, _from(step) + delay) for step, row in enumerate(heard)), strict=True)
    return Heard(
        round(correlation, 3),
        delay * 20,
        tuple(round(dbfs(one), 1) for one in levels),
        tuple(round(dbfs(one), 1) for one in noises),
    )


def _delays(samples: Sequence[object]) -> range:
    return range(max(1, min(DELAY_FRAMES_MAX, len(samples) - SWEEP_FRAMES) + 1))


def _from(step: int) -> int:
    return step * TONE_FRAMES


def _match(heard: list[list[float]], delay: int) -> float:
    """Pearson's correlation of "this tone sounds now" with what was heard, the mean of all tones."""
    return sum(_correlation(row, _from(step) + delay) for step, row in enumerate(heard)) / len(heard)


def _correlation(row: list[float], begin: int) -> float:
    """For a pattern that is 1 in TONE_FRAMES places and 0 elsewhere, it needs only sums."""
    count, on = len(row), len(row[begin : begin + TONE_FRAMES])
    total, squares = sum(row), sum(one * one for one in row)
    variance = squares - total * total / max(count, 1)
    if on == 0 or on >= count or variance <= 1e-6:
        return 0.0
    shared = sum(row[begin : begin + TONE_FRAMES]) - total * on / count
    return shared / math.sqrt(variance * (on - on * on / count))


def _inside(row: list[float], begin: int) -> tuple[float, float]:
    """The middle of what was heard in a tone's time, and of what was heard outside it."""
    inside = sorted(row[begin : begin + TONE_FRAMES]) or [0.0]
    outside = sorted(row[:begin] + row[begin + TONE_FRAMES :]) or [0.0]
    return inside[len(inside) // 2], outside[len(outside) // 2]
