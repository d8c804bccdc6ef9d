"""Gains, ceilings and levels, sample by sample."""

from __future__ import annotations

import math
import random
from array import array

import pytest

from edge.audio.fader import RAMP_SAMPLES, Fader, falling
from edge.audio.level import Loudness, PowerMean, SecondMeter, gain
from edge.audio.limiter import CEILING, Limiter
from edge.ports import FRAME_BYTES, FRAME_SAMPLES, SILENT_FRAME
from protocol.report import LEVEL_SILENCE_CDB
from simulators.listening import largest_step


def sine(amplitude: float, *, pitch_hz: float = 1000, samples: int = 48_000) -> bytes:
    turn = 2 * math.pi * pitch_hz / 48_000
    return array("h", (round(amplitude * math.sin(turn * index)) for index in range(samples))).tobytes()


def frames(sound: bytes) -> list[bytes]:
    return [sound[at : at + FRAME_BYTES] for at in range(0, len(sound), FRAME_BYTES)]


@pytest.mark.parametrize(("amplitude", "level_cdb"), [(32_767, -301), (16_384, -903), (328, -4301)])
def test_known_sine_measures_its_level(amplitude: int, level_cdb: int) -> None:
    loudness = Loudness()
    loudness.add(sine(amplitude))
    assert loudness.level_cdb == pytest.approx(level_cdb, abs=3)


def test_digital_silence_has_its_own_level() -> None:
    loudness = Loudness()
    assert loudness.level_cdb == LEVEL_SILENCE_CDB
    loudness.add(SILENT_FRAME)
    assert loudness.level_cdb == LEVEL_SILENCE_CDB


def test_meter_tells_once_a_second() -> None:
    meter = SecondMeter()
    told = [level for frame in frames(sine(16_384, samples=96_000)) if (level := meter.add(frame)) is not None]
    assert told == [pytest.approx(-903, abs=3)] * 2


def test_levels_are_averaged_as_powers() -> None:
    mean = PowerMean()
    assert mean.level_cdb is None
    mean.add(-1000)
    mean.add(LEVEL_SILENCE_CDB)
    assert mean.level_cdb == -1301


def test_attenuation_is_in_hundredths_of_a_decibel() -> None:
    assert gain(0) == 1
    assert gain(2000) == pytest.approx(0.1)


def test_ramp_takes_twenty_milliseconds() -> None:
    fader = Fader()
    fader.to(1.0)
    level = array("h", [10_000] * FRAME_SAMPLES * 2).tobytes()
    out = array("h", fader.apply(level))
    assert out[RAMP_SAMPLES // 2] == pytest.approx(5000, abs=20)
    assert out[RAMP_SAMPLES - 1] == pytest.approx(10_000, abs=1)
    assert largest_step(out.tobytes()) <= 10_000 // RAMP_SAMPLES + 1


def test_ramp_goes_on_over_pieces_of_any_length() -> None:
    fader, whole = Fader(), Fader(1.0)
    level = array("h", [10_000] * 100).tobytes()
    fader.to(1.0)
    out = b"".join(
        fader.apply(level[: 2 * length]) for length in (1, 99, 7, 100, 100, 100, 100, 100, 100, 100, 100, 100)
    )
    fader.to(0.0)
    out += b"".join(fader.apply(level) for _ in range(11))
    assert largest_step(out) <= 12
    assert array("h", out)[-1] == 0
    assert whole.apply(level) == level


def test_broken_sound_falls_to_nothing() -> None:
    fall = array("h", falling(9000, RAMP_SAMPLES))
    assert largest_step(array("h", [9000]).tobytes() + fall.tobytes()) <= 10
    assert fall[-1] == 0


def test_limiter_keeps_the_ceiling() -> None:
    limiter = Limiter()
    chance = random.Random(1)
    for _ in range(200):
        frame = sine(chance.choice([500, 20_000, 32_767]), pitch_hz=chance.uniform(80, 4000), samples=FRAME_SAMPLES)
        limited = array("h", limiter.apply(frame))
        assert max(abs(value) for value in limited) <= CEILING


def test_limiter_leaves_levelled_sound_alone() -> None:
    limiter = Limiter()
    for frame in frames(sine(CEILING)):
        assert limiter.apply(frame) == frame


def test_limiter_does_not_click() -> None:
    limiter = Limiter()
    soft, loud = sine(10_000, samples=9600), sine(32_767, samples=9600)
    out = b"".join(limiter.apply(frame) for frame in frames(soft + loud + soft))
    assert largest_step(out) <= largest_step(loud) + 40


def test_limiter_comes_back() -> None:
    limiter = Limiter()
    soft = frames(sine(10_000))
    limiter.apply(frames(sine(32_767))[0])
    assert any(limiter.apply(frame) == frame for frame in soft[:15])
