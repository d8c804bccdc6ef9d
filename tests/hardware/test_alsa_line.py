"""The line of a card is straight, whatever the card says of itself."""

from __future__ import annotations

import pytest

from hardware.alsa_line import CardLine
from hardware.interfaces import FRAME_MS


def test_standing_card_tells_its_lead() -> None:
    line = CardLine(40)
    assert not line.running
    assert (line.delay_ms(5.0), line.ahead_ms(5.0)) == (40, 0)


def test_frames_are_counted() -> None:
    line = CardLine(40)
    line.begin(1000.0)
    line.count()
    assert line.delay_ms(1000.0) == 60
    assert line.delay_ms(1030.0) == 30


def test_dry_card_tells_its_lead_again() -> None:
    line = CardLine(40)
    line.begin(1000.0)
    assert not line.is_dry(1039.0)
    assert line.is_dry(1040.0)
    assert line.delay_ms(1500.0) == 40


def test_first_word_is_believed() -> None:
    line = CardLine(40)
    line.begin(1000.0)
    line.observe(1010.0, 45.0)
    assert line.ahead_ms(1010.0) == pytest.approx(45.0)


def test_coarse_words_are_averaged() -> None:
    """A pointer that moves in steps of 4 ms is up to 4 ms too late."""
    line = CardLine(40)
    line.begin(0.0)
    for frame in range(200):
        now = frame * FRAME_MS + (frame * 0.7) % 4
        line.count()
        true = (frame + 1) * FRAME_MS + 40 - now
        line.observe(now, true + now % 4)
        if frame > 20:
            assert line.ahead_ms(now) == pytest.approx(true + 2, abs=1)


def test_slow_crystal_is_followed() -> None:
    line = CardLine(40)
    line.begin(0.0)
    for frame in range(1000):
        now = frame * FRAME_MS * 1.0001
        line.count()
        line.observe(now, 60.0)
    assert line.ahead_ms(now) == pytest.approx(60.0, abs=0.1)


def test_jump_is_believed_at_once() -> None:
    line = CardLine(40)
    line.begin(0.0)
    for _ in range(50):
        line.observe(0.0, 40.0)
    line.observe(0.0, 140.0)
    assert line.ahead_ms(0.0) == pytest.approx(140.0)
