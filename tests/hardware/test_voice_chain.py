"""What a village hears of a voice, a whisper, a shout, hum and hiss: judged by rendered samples."""

from __future__ import annotations

import audioop
import math
import random
import time
from array import array
from itertools import pairwise

import pytest

from hardware.espeak import Espeak
from hardware.high_pass import CUTOFF_HZ, HighPass
from hardware.interfaces import FRAME_BYTES, FRAME_MS, SAMPLE_RATE
from hardware.leveller import GAIN_DB_MAX, TARGET_DB
from hardware.noise_gate import decibels
from hardware.voice_chain import DELAY_MS, VoiceChain
from simulators.listening import find

pytestmark = pytest.mark.slow

MS_BYTES = SAMPLE_RATE // 1000 * 2
TEXT = "Phường ta hôm nay họp dân lúc bảy giờ tối tại nhà văn hóa, mời bà con đến dự đầy đủ."
ROOM_DB = -65.0


@pytest.fixture(scope="module")
def voice() -> bytes:
    """Eight seconds of Vietnamese, from the first sample of its first word to the last of its last."""
    speech = Espeak().speak(TEXT, "vi")
    samples = audioop.ratecv(speech.pcm, 2, 1, speech.rate, SAMPLE_RATE, None)[0]
    sounding = [index for index, value in enumerate(array("h", samples)) if abs(value) > 100]
    return whole(samples[sounding[0] * 2 : sounding[-1] * 2])


def whole(samples: bytes) -> bytes:
    return samples.ljust(-(-len(samples) // FRAME_BYTES) * FRAME_BYTES, b"\0")


def tone(frequency_hz: float, *, duration_ms: int = 1000, peak: int = 10_000) -> bytes:
    step = 2 * math.pi * frequency_hz / SAMPLE_RATE
    return array("h", (round(peak * math.sin(step * index)) for index in range(duration_ms * 48))).tobytes()


def hiss(level_db: float, duration_ms: int) -> bytes:
    chance, spread = random.Random(7), 32_768 * 10 ** (level_db / 20)
    return array("h", (int(chance.gauss(0, spread)) for _ in range(duration_ms * 48))).tobytes()


def level_db(samples: bytes) -> float:
    return decibels(audioop.rms(samples, 2))


def at_level(samples: bytes, wanted_db: float) -> bytes:
    return audioop.mul(samples, 2, 10 ** ((wanted_db - level_db(samples)) / 20))


def in_room(samples: bytes, *, before_ms: int = 500) -> bytes:
    """A voice in a room that hisses a little, before and after it too."""
    padded = bytes(before_ms * MS_BYTES) + samples + bytes(1000 * MS_BYTES)
    return audioop.add(padded, hiss(ROOM_DB, len(padded) // MS_BYTES), 2)


def passed(samples: bytes, chain: VoiceChain | None = None) -> bytes:
    chain = chain or VoiceChain()
    return b"".join(chain.apply(samples[at : at + FRAME_BYTES]) for at in range(0, len(samples), FRAME_BYTES))


def filtered(samples: bytes) -> bytes:
    return HighPass().apply(samples)


@pytest.mark.parametrize("frequency_hz", [20, 50, 60, 120, 250, 1000, 10_000])
def test_high_pass_falls_as_its_formula_says(frequency_hz: int) -> None:
    high_pass, sound = HighPass(), tone(frequency_hz)
    out = b"".join(high_pass.apply(sound[at : at + FRAME_BYTES]) for at in range(0, len(sound), FRAME_BYTES))
    steady = slice(len(sound) // 2, None)
    butterworth_db = -10 * math.log10(1 + (CUTOFF_HZ / frequency_hz) ** 4)
    assert level_db(out[steady]) - level_db(sound[steady]) == pytest.approx(butterworth_db, abs=0.15)


def test_high_pass_knows_no_pieces() -> None:
    sound, high_pass = hiss(-20, 100), HighPass()
    cuts = [0, 2, 2, 100, 1920, 7000, len(sound)]
    pieces = b"".join(high_pass.apply(sound[first:last]) for first, last in pairwise(cuts))
    assert pieces == filtered(sound)


def test_high_pass_clips_what_would_not_fit() -> None:
    square = array("h", [32_767] * 200 + [-32_768] * 200).tobytes()
    assert audioop.minmax(filtered(square), 2)[0] == -32_768


def test_steady_pressure_dies_away() -> None:
    out = filtered(array("h", [20_000] * 48_000).tobytes())
    assert not any(out[-FRAME_BYTES:])


def test_hum_falls_under_a_voice(voice: bytes) -> None:
    hum = tone(50, duration_ms=len(voice) // MS_BYTES, peak=3000)
    sound = audioop.add(voice, hum, 2)
    left = audioop.add(filtered(sound), audioop.mul(filtered(voice), 2, -1), 2)
    assert level_db(left[len(left) // 2 :]) - level_db(hum) == pytest.approx(-15.3, abs=0.5)


def test_hiss_alone_is_shut() -> None:
    assert level_db(passed(hiss(-50, 2000))) < -80


def test_loud_hiss_is_learned_and_shut() -> None:
    chain = VoiceChain()
    passed(hiss(-42, 4000), chain)
    assert not chain.gate.open
    assert level_db(passed(hiss(-42, 1000), chain)) < -60


def test_first_syllable_is_whole(voice: bytes) -> None:
    """After half a second of an empty room, with the gate shut, the first 200 ms come as they were spoken."""
    out = passed(in_room(at_level(voice, -30)))
    found = find(filtered(voice)[: 200 * MS_BYTES], out)
    assert found.correlation > 0.97
    assert found.offset_ms == pytest.approx(500 + DELAY_MS, abs=1)


def test_speech_is_whole_to_its_end(voice: bytes) -> None:
    out = passed(in_room(at_level(voice, -30)))
    end = filtered(voice)[-400 * MS_BYTES :]
    found = find(end, out)
    assert found.correlation > 0.95
    assert found.offset_ms == pytest.approx(500 + DELAY_MS + (len(voice) - len(end)) / MS_BYTES, abs=1)


def test_room_is_quiet_again_after_speech(voice: bytes) -> None:
    assert level_db(passed(in_room(voice))[-200 * MS_BYTES :]) < -75


@pytest.mark.parametrize("spoken_db", [-45, -38, -30, -20, -10])
def test_every_voice_reaches_the_programme_level(spoken_db: int, voice: bytes) -> None:
    chain = VoiceChain()
    out = passed(in_room(at_level(voice, spoken_db)), chain)
    later = slice((500 + 4000) * MS_BYTES, (500 + 8000) * MS_BYTES)
    heard_db = level_db(out[later]) - level_db(voice[4000 * MS_BYTES : 8000 * MS_BYTES]) + level_db(voice)
    assert heard_db == pytest.approx(TARGET_DB, abs=5)
    assert audioop.max(out, 2) < 32_767


def test_whisper_is_lifted(voice: bytes) -> None:
    whisper = in_room(at_level(voice, -45))
    later = slice(5000 * MS_BYTES, 8000 * MS_BYTES)
    assert level_db(passed(whisper)[later]) - level_db(whisper[later]) > 20


def test_lift_has_an_end() -> None:
    chain = VoiceChain()
    for _ in range(10):
        passed(hiss(-67, 200) + tone(500, duration_ms=300, peak=200), chain)
    assert chain.leveller.gain_db == pytest.approx(GAIN_DB_MAX)


def test_shout_after_a_whisper_does_not_clip(voice: bytes) -> None:
    chain = VoiceChain()
    passed(in_room(at_level(voice, -45)), chain)
    shout = passed(in_room(at_level(voice, -8), before_ms=0), chain)
    assert audioop.max(shout, 2) <= 30_000
    assert level_db(shout[500 * MS_BYTES : 2500 * MS_BYTES]) < TARGET_DB + 6


def test_next_speaker_is_not_shouted_at(voice: bytes) -> None:
    chain = VoiceChain()
    passed(in_room(at_level(voice, -45)), chain)
    chain.restart()
    assert chain.leveller.gain_db <= 12
    assert chain.gate.floor_db == pytest.approx(ROOM_DB, abs=5)


def test_silence_stays_silence() -> None:
    assert not any(passed(bytes(FRAME_BYTES * 50)))


def test_output_is_as_long_as_input() -> None:
    chain = VoiceChain()
    assert {len(chain.apply(bytes(FRAME_BYTES))) for _ in range(3)} == {FRAME_BYTES}


@pytest.mark.figure
def test_frame_costs_a_fraction_of_its_time(voice: bytes) -> None:
    chain, spent = VoiceChain(), []
    for at in range(0, len(voice), FRAME_BYTES):
        before = time.thread_time()
        chain.apply(voice[at : at + FRAME_BYTES])
        spent.append((time.thread_time() - before) * 1000)
    median_ms = sorted(spent)[len(spent) // 2]
    print(f"\nvoice chain: {median_ms:.3f} ms a frame, {100 * median_ms / FRAME_MS:.2f} % of a core")
    assert median_ms < FRAME_MS / 4
