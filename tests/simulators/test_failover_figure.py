"""The figure `failover`: its judge, and the card behind another program's pipe."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from simulators.bench.handover_figures import Handover, figures, judge
from simulators.bench.late_card import LateCard
from simulators.melody import melody

ONE = melody(1, duration_ms=6000)
OTHER = melody(2, duration_ms=6000)


def test_undisturbed_sound_has_no_gap() -> None:
    assert judge(ONE) == Handover(0.0, 0)


def test_gap_is_as_long_as_it_is() -> None:
    gap = ONE[: 3000 * 96] + bytes(500 * 96) + ONE[3500 * 96 :]
    assert judge(gap).gap_ms == pytest.approx(500, abs=10)


def test_second_gap_and_a_click_are_blips() -> None:
    twice = ONE[: 2500 * 96] + bytes(100 * 96) + ONE[2600 * 96 : 3500 * 96] + bytes(100 * 96) + ONE[3600 * 96 :]
    assert judge(twice).blips >= 1
    loud = (30_000).to_bytes(2, "little", signed=True)
    click = bytearray(ONE)
    click[3000 * 96 : 3000 * 96 + 2] = loud
    assert judge(bytes(click)) == Handover(0.0, 1)


def test_figures_are_flat() -> None:
    rounds = [Handover(float(gap), 1) for gap in range(20)]
    assert figures("x_", rounds) == {"x_gap_p50_ms": 10.0, "x_gap_p95_ms": 19.0, "x_blips": 20}


@pytest.mark.slow
def test_card_hears_what_comes_too_late_as_a_gap(tmp_path: Path) -> None:
    card = LateCard(tmp_path / "pipe", rate=48_000, skip_bytes=44)
    begin_s = time.monotonic()
    with (tmp_path / "pipe").open("wb", buffering=0) as pipe:
        pipe.write(b"h" * 44 + ONE[: 300 * 96])
        time.sleep(0.8)
        pipe.write(ONE[300 * 96 : 600 * 96])
        time.sleep(0.5)
    heard = card.heard(begin_s, begin_s + 1.3)
    assert judge(heard[150 * 96 : 1050 * 96]).gap_ms >= 300
    assert ONE[1000:20_000] in heard


def test_card_ends_with_its_program(tmp_path: Path) -> None:
    before = threading.active_count()
    LateCard(tmp_path / "pipe", rate=48_000, skip_bytes=0)
    os.close(os.open(tmp_path / "pipe", os.O_WRONLY))
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before, "others may have ended meanwhile"
