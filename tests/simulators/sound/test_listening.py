"""The judges: they find what is there, and do not find what is not."""

from __future__ import annotations

import audioop

import pytest

from simulators.horn import Heard
from simulators.listening import find, first_sound_ms, largest_step, level_cdb, longest_silence_ms
from simulators.melody import melody, noise

SOUND = melody(1, duration_ms=10_000)


def part(begin_ms: int, duration_ms: int) -> bytes:
    return SOUND[begin_ms * 96 : (begin_ms + duration_ms) * 96]


@pytest.mark.parametrize("begin_ms", [0, 17, 4321, 9000])
def test_part_is_found_at_its_place(begin_ms: int) -> None:
    found = find(part(begin_ms, 1000), SOUND)
    assert found.offset_ms == begin_ms
    assert found.correlation == pytest.approx(1)


def test_place_is_found_to_the_sample() -> None:
    assert find(SOUND[96_007 * 2 : 120_000 * 2], SOUND).offset_ms == pytest.approx(96_007 / 48, abs=0.001)


def test_quiet_copy_in_noise_is_found() -> None:
    mixed = audioop.add(audioop.mul(SOUND, 2, 0.3), audioop.mul(noise() * 10, 2, 0.3), 2)
    found = find(part(5000, 2000), mixed)
    assert found.offset_ms == pytest.approx(5000, abs=0.1)
    assert 0.7 < found.correlation < 1


def test_other_sound_is_not_found() -> None:
    assert find(melody(2, duration_ms=2000), SOUND).correlation < 0.6
    assert find(noise(), SOUND).correlation < 0.3


def test_silence_has_no_place() -> None:
    with pytest.raises(ValueError, match="silent"):
        find(bytes(9600), SOUND)
    with pytest.raises(ValueError, match="shorter"):
        find(SOUND, bytes(9600))
    assert find(SOUND[:96_000], bytes(960_000)).correlation < 0.1


def test_gap_is_measured() -> None:
    loud = audioop.mul(noise(), 2, 3)
    heard = Heard(1000, loud + bytes(300 * 96) + loud)
    assert longest_silence_ms(heard, 1000, 3300) == 300
    assert longest_silence_ms(heard, 1000, 2100) == 100
    assert longest_silence_ms(heard, 1000, 2000) == 0


def test_span_has_wall_times() -> None:
    heard = Heard(1000, bytes(96_000) + noise())
    assert first_sound_ms(heard) == pytest.approx(2000, abs=0.1)
    assert first_sound_ms(Heard(0, bytes(960))) is None
    assert level_cdb(heard, 1000, 2000) == -12_000
    assert level_cdb(heard, 2000, 3000) > -3000
    assert heard.between(1500, 2500).began_ms == 1500
    assert heard.ended_ms == 3000


def test_click_is_a_large_step() -> None:
    assert largest_step(bytes(96) + b"\xff\x7f" + bytes(96)) == 32_767
    assert largest_step(b"") == 0
