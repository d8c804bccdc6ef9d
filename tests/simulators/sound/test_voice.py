"""Voices: a person's at the microphone, and the device's own."""

from __future__ import annotations

import audioop

import pytest

from edge.adapters.espeak_voice import EspeakVoice
from edge.ports import FRAME_BYTES, MediaError, SoundSource, Voice
from simulators.listening import find
from simulators.loop_clock import LoopClock
from simulators.melody import melody
from simulators.microphone import SimMicrophone
from simulators.tone_voice import ToneVoice

VOICE = melody(6, duration_ms=2000)
FRAMES = [VOICE[at : at + FRAME_BYTES] for at in range(0, len(VOICE), FRAME_BYTES)]


async def read(source: SoundSource, *, frames: int) -> bytes:
    return b"".join([await source.read() or b"" for _ in range(frames)])


async def test_quiet_room_is_silent(clock: LoopClock) -> None:
    source = await SimMicrophone(clock).open()
    assert not any(await read(source, frames=20))


async def test_recording_begins_with_each_opening(clock: LoopClock) -> None:
    microphone = SimMicrophone(clock)
    microphone.recording = VOICE
    for _ in range(2):
        assert await read(await microphone.open(), frames=100) == VOICE
    assert not any((await read(await microphone.open(), frames=110))[len(VOICE) :])


async def test_browser_frames_in_bursts_come_out_evenly(clock: LoopClock) -> None:
    microphone = SimMicrophone(clock)
    source = await microphone.open()
    out = b""
    for burst in range(0, 100, 3):
        for frame in FRAMES[burst : burst + 3]:
            microphone.hear(frame)
        out += await read(source, frames=3)
    assert out[: len(VOICE) - 3 * FRAME_BYTES] in VOICE + out[len(VOICE) :]


async def test_old_words_are_not_kept(clock: LoopClock) -> None:
    microphone = SimMicrophone(clock)
    for frame in FRAMES:
        microphone.hear(frame)
    source = await microphone.open()
    assert not any(await read(source, frames=5))


@pytest.mark.parametrize("voice", [ToneVoice(), EspeakVoice()], ids=["tone", "espeak"])
async def test_text_is_spoken(voice: Voice) -> None:
    source = await voice.speak("Bà con chú ý.", "vi")
    frames = []
    while (frame := await source.read()) is not None:
        frames.append(frame)
    await source.close()
    assert {len(frame) for frame in frames} == {FRAME_BYTES}
    assert 25 < len(frames) < 250
    assert 1500 < audioop.rms(b"".join(frames), 2) < 8000


@pytest.mark.parametrize("voice", [ToneVoice(), EspeakVoice()], ids=["tone", "espeak"])
async def test_language_without_a_voice(voice: Voice) -> None:
    with pytest.raises(MediaError):
        await voice.speak("សួស្តី", "km")


async def test_each_text_has_its_own_sound() -> None:
    voice = ToneVoice()
    first = await read(await voice.speak("Bão đến rồi", "vi"), frames=30)
    second = await read(await voice.speak("Nước lên cao", "vi"), frames=30)
    assert find(first, second + second).correlation < 0.8
