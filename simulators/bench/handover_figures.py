"""What a hand-over cost, from the rendered samples alone: how long nothing was heard, and how often it clicked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge.ports import SAMPLE_RATE

_WINDOW_MS: Final = 10
_SILENT_RMS: Final = 32_768 * 10 ** (-50 / 20)
_CALM_MS: Final = 2000
_CLICK: Final = 1.5
_CLICK_FLOOR: Final = 500


@dataclass(frozen=True, slots=True)
class Handover:
    """One round.

    Attributes:
        gap_ms: the longest stretch below -50 dBFS, to 10 ms.
        blips: further such stretches, and steps between neighbouring samples that neither sound ever makes.
    """

    gap_ms: float
    blips: int


def judge(samples: bytes, rate: int = SAMPLE_RATE) -> Handover:
    """Judges a stretch that begins with two seconds of the one sound and ends with two of the other."""
    wave = np.frombuffer(samples[: len(samples) // 2 * 2], dtype="<i2").astype(np.float64)
    runs = _silences(wave, rate)
    calm = rate * _CALM_MS // 1000
    steps = np.abs(np.diff(wave))
    natural = max(float(steps[:calm].max(initial=0)), float(steps[-calm:].max(initial=0)))
    clicks = np.flatnonzero(steps > natural * _CLICK + _CLICK_FLOOR)
    apart = int(np.count_nonzero(np.diff(clicks) > rate * _WINDOW_MS // 1000)) + 1 if len(clicks) else 0
    return Handover(max(runs, default=0) * float(_WINDOW_MS), apart + max(0, len(runs) - 1))


def _silences(wave: np.ndarray[tuple[int], np.dtype[np.float64]], rate: int) -> list[int]:
    """Lengths of the quiet stretches in windows."""
    size = rate * _WINDOW_MS // 1000
    windows = wave[: len(wave) - len(wave) % size].reshape(-1, size)
    quiet = np.sqrt((windows * windows).mean(axis=1)) < _SILENT_RMS
    edges = np.flatnonzero(np.diff(np.concatenate(([False], quiet, [False])).astype(np.int8)))
    return [int(end - begin) for begin, end in zip(edges[::2], edges[1::2], strict=True)]


def figures(prefix: str, rounds: Iterable[Handover]) -> dict[str, float]:
    """Flat figures of some rounds; names begin with the prefix."""
    found = tuple(rounds)
    gaps = sorted(one.gap_ms for one in found)
    return {
        f"{prefix}gap_p50_ms": gaps[len(gaps) // 2],
        f"{prefix}gap_p95_ms": gaps[min(len(gaps) - 1, len(gaps) * 95 // 100)],
        f"{prefix}blips": sum(one.blips for one in found),
    }
