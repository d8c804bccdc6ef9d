"""Nothing bangs, nothing is mixed, and the tone comes first."""

from __future__ import annotations

import audioop

import pytest

from edge.audio.tone import tone_frames
from protocol.alert import Part, Tone
from protocol.report import LEVEL_SILENCE_CDB
from simulators.encoder import encode
from simulators.horn import Heard
from simulators.listening import find, first_sound_ms, largest_step, level_cdb, longest_silence_ms
from simulators.melody import melody
from simulators.tone_voice import tone_speech
from tests.edge.audio.conftest import SONG
from tests.edge.audio.scene import Scene

TEXT = "Có bão, vào nhà ngay."


async def test_switches_do_not_click(scene: Scene) -> None:
    natural = max(largest_step(SONG), largest_step(scene.station.sound))
    await scene.switch(scene.programme(1000))
    for at_ms in range(2000, 8000, 1013):
        await scene.until(at_ms)
        await scene.switch(scene.station_output())
        await scene.until(at_ms + 500)
        await scene.switch(scene.programme(1000, item=str(at_ms)))
    await scene.until(9000)
    await scene.silence()
    await scene.until(10_000)
    assert len(scene.started()) > 10
    assert largest_step(scene.heard().samples) <= natural + 40


async def test_programme_gives_way_to_the_microphone_and_returns(scene: Scene) -> None:
    scene.board.sim_microphone.recording = melody(4, duration_ms=5000)
    await scene.switch(scene.programme(1000), at_ms=1000)
    await scene.until(3000)
    await scene.switch(scene.microphone())
    await scene.until(5000)
    await scene.switch(scene.programme(1000))
    await scene.until(8000)
    assert find(melody(4, duration_ms=1000)[96 * 100 :], scene.heard(3000, 5000).samples).correlation > 0.99
    back = find(SONG[5000 * 96 : 6000 * 96], scene.heard().samples)
    assert back.offset_ms - 5000 == pytest.approx(1000, abs=1.1)
    assert [key for key, _ in scene.started()] == ["programme", "microphone", "programme"]
    assert longest_silence_ms(scene.heard(), 2000, 5900) <= 200


async def test_alert_from_rest_sounds_within_a_second(scene: Scene) -> None:
    await scene.until(1000)
    scene.voice.takes_ms = 2000
    await scene.switch(scene.alert())
    await scene.until(3000)
    first = first_sound_ms(scene.heard())
    assert first is not None and first <= 2000


async def test_alert_tone_ducks_the_programme(scene: Scene) -> None:
    await scene.switch(scene.programme(1000), at_ms=1000)
    await scene.until(4000)
    await scene.switch(scene.alert())
    await scene.until(9000)
    tone = b"".join(tone_frames(Tone.TWO_TONE, 3000))
    heard = scene.heard()
    began_ms = find(tone, heard.between(4000, 7500).samples).offset_ms + 4000
    mixed = heard.between(began_ms + 100, began_ms + 2900)
    under = audioop.add(mixed.samples, audioop.mul(tone[100 * 96 : 2900 * 96], 2, -1), 2)
    song = find(SONG[4000 * 96 : 5000 * 96], under)
    assert song.correlation > 0.99
    assert song.offset_ms + mixed.began_ms - 4000 == pytest.approx(1000, abs=0.1)
    ducked = Heard(0, under)
    assert level_cdb(ducked, 0, 2800) == pytest.approx(level_cdb(heard, 1100, 3900) - 2000, abs=150)
    assert level_cdb(heard, began_ms + 3000, began_ms + 3300) == LEVEL_SILENCE_CDB
    assert scene.ended() == [("programme", "superseded")]


async def test_alert_repeats_until_cancelled(scene: Scene) -> None:
    await scene.switch(scene.alert())
    await scene.until(20_000)
    await scene.silence()
    await scene.until(22_000)
    heard = scene.heard()
    words = tone_speech(TEXT)
    round_ms = 3000 + 400 + -(-len(words) // 1920) * 20 + 1000
    first = find(words, heard.samples[: 6000 * 96]).offset_ms
    second = find(words, heard.samples[6000 * 96 : 12_000 * 96]).offset_ms + 6000
    assert second - first == pytest.approx(round_ms, abs=1)
    assert level_cdb(heard, 20_300, 22_000) == LEVEL_SILENCE_CDB


async def test_slow_voice_never_delays_the_tone(scene: Scene) -> None:
    scene.voice.takes_ms = 6000
    await scene.switch(scene.alert())
    await scene.until(12_000)
    heard = scene.heard()
    assert longest_silence_ms(heard, 900, 3600) == 0
    assert 6000 < find(tone_speech(TEXT), heard.samples).offset_ms < 7500


async def test_recording_replaces_the_voice_once_stored(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spoken = melody(77, duration_ms=1500)
    path = encode(spoken, tmp_path_factory.mktemp("part") / "part.wav")
    media = scene.shelf.put(path, duration_ms=1500)
    scene.shelf.delete(media.digest)
    await scene.switch(scene.alert(Part("vi", TEXT, media)))
    await scene.until(4500)
    scene.shelf.put(path)
    await scene.until(16_000)
    heard = scene.heard().samples
    assert find(tone_speech(TEXT), heard).correlation > 0.99
    assert find(tone_speech(TEXT), heard).offset_ms < 6000
    assert find(spoken, heard).correlation > 0.99
    assert scene.voice.spoken == 1


async def test_damaged_recording_is_spoken(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("part") / "part.opus"
    path.write_bytes(b"OggS and then nothing that makes sense" * 40)
    media = scene.shelf.put(path)
    await scene.switch(scene.alert(Part("vi", TEXT, media)))
    await scene.until(8000)
    assert find(tone_speech(TEXT), scene.heard().samples).correlation > 0.99


async def test_languages_follow_one_another(scene: Scene) -> None:
    await scene.switch(scene.alert(Part("vi", TEXT), Part("km", "គ្មានសំឡេង"), Part("en", "A storm comes, go inside.")))
    await scene.until(12_000)
    heard = scene.heard().samples
    first = find(tone_speech(TEXT), heard)
    second = find(tone_speech("A storm comes, go inside."), heard)
    assert min(first.correlation, second.correlation) > 0.99
    assert first.offset_ms < second.offset_ms


async def test_cancel_in_the_tone_returns_to_the_programme(scene: Scene) -> None:
    await scene.switch(scene.programme(1000), at_ms=1000)
    await scene.until(3000)
    await scene.switch(scene.alert())
    await scene.until(4500)
    await scene.switch(scene.programme(1000))
    await scene.until(7000)
    back = find(SONG[4000 * 96 : 5500 * 96], scene.heard().samples)
    assert back.offset_ms - 4000 == pytest.approx(1000, abs=1.1)
    assert back.correlation > 0.999
    assert [key for key, _ in scene.started()] == ["programme", "alert", "programme"]


async def test_louder_alert_replaces_the_first(scene: Scene) -> None:
    await scene.switch(scene.alert())
    await scene.until(2000)
    await scene.switch(scene.alert(tone=Tone.SWEEP, name="worse"))
    await scene.until(6000)
    assert scene.ended() == [("alert", "superseded")]
    sweep = b"".join(tone_frames(Tone.SWEEP, 3000))
    assert find(sweep[9600:], scene.heard(1900).samples).correlation > 0.99


async def test_attenuation_lowers_what_sounds(scene: Scene) -> None:
    quiet = scene.programme(1000)
    quiet = type(quiet)(
        quiet.rung, quiet.document, quiet.item, quiet.start, quiet.origin, quiet.media, attenuation_cdb=1200
    )
    await scene.switch(quiet, at_ms=1000)
    await scene.until(4000)
    await scene.switch(scene.programme(4000, item="loud"), at_ms=4000)
    await scene.until(6500)
    heard = scene.heard()
    loud, soft = level_cdb(heard, 4500, 6000), level_cdb(heard, 1500, 3000)
    assert loud - soft == pytest.approx(1200, abs=40)
