"""The judges of `skew` and `start-error`, and the ear at another program's pipe."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.bench.pipe_ear import PipeEar
from simulators.bench.skew_figures import Recorded, rustle, skews_ms
from simulators.bench.start_minute import start_s
from simulators.melody import melody

SONG = np.frombuffer(melody(4, duration_ms=6000), dtype="<i2")
RUSTLE = np.frombuffer(rustle(6), dtype="<i2")
RATE = 48_000


def player(late_ms: float, samples: NDArray[np.int16] = RUSTLE) -> Recorded:
    def heard(begin_s: float, end_s: float) -> tuple[float, NDArray[np.int16]]:
        first = max(0, round((begin_s - late_ms / 1000) * RATE))
        return first / RATE + late_ms / 1000, samples[first : max(first, round((end_s - late_ms / 1000) * RATE))]

    return heard


@pytest.mark.slow
def test_pairs_are_as_far_apart_as_they_are() -> None:
    seconds = list(skews_ms([player(0), player(3), player(-2)], 1.0, 5.0))
    assert len(seconds) == 4
    for pairs in seconds:
        assert pairs == pytest.approx([3, 2, 5], abs=0.05)


def test_player_that_corrects_its_pace_is_placed_too() -> None:
    """A thousand parts in a million, as the sound path does it."""
    faster = RUSTLE[np.minimum(np.arange(len(RUSTLE)) * 1.001, len(RUSTLE) - 1).astype(int)]
    (second,) = skews_ms([player(0), player(0, faster)], 3.0, 4.0)
    assert second == pytest.approx([3.0], abs=0.3)


def test_silent_player_is_not_judged() -> None:
    assert not list(skews_ms([player(0), player(0, np.zeros_like(RUSTLE))], 1.0, 5.0))


@pytest.mark.slow
@pytest.mark.parametrize("late_s", [0.0, 0.068, 1.5])
def test_start_is_where_the_song_begins(late_s: float) -> None:
    minute_s = 1_000_000.0

    def heard(begin_s: float, end_s: float) -> tuple[float, bytes]:
        silence = np.zeros(round((minute_s - begin_s + late_s) * RATE), dtype=np.int16)
        line = np.concatenate((silence, SONG))[: round((end_s - begin_s) * RATE)]
        return begin_s, line.astype("<i2").tobytes()

    piece = SONG[RATE // 2 : RATE].tobytes()
    assert start_s(piece, heard, minute_s) == pytest.approx(minute_s + late_s, abs=0.0005)
    assert start_s(piece, lambda begin_s, end_s: (begin_s, bytes(100_000)), minute_s) is None


@pytest.mark.slow
def test_ear_puts_late_pieces_where_they_belong(tmp_path: Path) -> None:
    """A reader or writer that is held up for a moment has not shifted the sound."""
    ear = PipeEar(tmp_path / "pipe", rate=RATE, channels=2, skip_bytes=44)
    stereo = np.repeat(SONG, 2).astype("<i2").tobytes()
    piece_s = 0.05
    with (tmp_path / "pipe").open("wb", buffering=0) as pipe:
        pipe.write(b"h" * 44)
        begin_s = time.monotonic()
        for number in range(20):
            late_s = 0.03 if number % 3 == 1 else 0.0
            time.sleep(max(0.0, begin_s + number * piece_s + late_s - time.monotonic()))
            size = round(piece_s * RATE) * 4
            pipe.write(stereo[number * size : (number + 1) * size])
        time.sleep(0.1)
    at_s, samples = ear.heard(begin_s + 0.4, begin_s + 0.6)
    place = round((at_s - begin_s) * RATE)
    shifts = [
        shift for shift in range(-960, 961) if (SONG[place + shift : place + shift + 4000] == samples[:4000]).all()
    ]
    assert shifts and abs(shifts[0]) < 480, "within ten milliseconds, for all that is late"
