"""How far players are apart, from what was recorded of each: cross-correlation, second by second, every pair.

The pieces are short and the sound is dull, so that a player that is just correcting its pace is placed as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge.ports import SAMPLE_RATE
from simulators.listening import find

_PIECE_S: Final = 0.15
_EITHER_SIDE_S: Final = 0.25
_CORRELATION_MIN: Final = 0.6

_AMPLITUDE: Final = 20_000.0
_SMOOTH: Final = 24

Recorded = Callable[[float, float], tuple[float, NDArray[np.int16]]]
"""Samples at 48 kHz between two instants, and the instant of the first: what one player made heard."""


def rustle(seconds: int) -> bytes:
    """Sound that resembles itself nowhere else; a tone is found again one of its waves further on."""
    chance = np.random.default_rng(9)
    wave = np.convolve(chance.standard_normal(seconds * SAMPLE_RATE), np.ones(_SMOOTH) / _SMOOTH, mode="same")
    made: bytes = np.clip(wave * _AMPLITUDE, -32_000, 32_000).astype("<i2").tobytes()
    return made


def skews_ms(players: Sequence[Recorded], begin_s: float, end_s: float) -> Iterator[list[float]]:
    """For each second, how far each pair is apart; a second in which a player is not found gives nothing.

    Pieces that another player's sound does not resemble (silence, a gap) cannot be placed and are left out.
    """
    at_s = begin_s
    while at_s + 1 <= end_s:
        places = [_place(players[0], player, at_s) for player in players[1:]]
        if all(place is not None for place in places):
            known = [0.0, *(place for place in places if place is not None)]
            yield [abs(one - other) for one, other in combinations(known, 2)]
        at_s += 1.0


def _place(first: Recorded, other: Recorded, at_s: float) -> float | None:
    """How much later than the first player another one sounds the same, in ms."""
    began_s, piece = first(at_s, at_s + _PIECE_S)
    around_s, around = other(at_s - _EITHER_SIDE_S, at_s + _PIECE_S + _EITHER_SIDE_S)
    if len(around) <= len(piece) or not len(piece) or not piece.any():
        return None
    found = find(piece.astype("<i2").tobytes(), around.astype("<i2").tobytes())
    if found.correlation < _CORRELATION_MIN:
        return None
    return found.offset_ms - (began_s - around_s) * 1000
