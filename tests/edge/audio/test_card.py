"""What happens when hardware fails, and what the meter says."""

from __future__ import annotations

import audioop

import pytest

from edge.audio.limiter import CEILING
from edge.core.events import CardChanged, LevelMeasured, SoundEnded
from protocol.report import LEVEL_SILENCE_CDB
from simulators.encoder import encode
from simulators.listening import find, level_cdb
from simulators.melody import melody
from tests.edge.audio.conftest import SONG
from tests.edge.audio.scene import Scene


async def test_programme_goes_on_when_the_card_is_back(scene: Scene) -> None:
    await scene.switch(scene.programme(1000), at_ms=1000)
    await scene.until(3000)
    scene.board.sound_card.unplug()
    await scene.until(5000)
    scene.board.sound_card.plug()
    await scene.until(9000)
    assert scene.events(CardChanged) == [CardChanged(False), CardChanged(True)]
    back = find(SONG[6000 * 96 : 7000 * 96], scene.heard(6000).samples)
    assert back.correlation > 0.999
    assert back.offset_ms == pytest.approx(1000, abs=120)
    assert scene.ended() == []
    assert [key for key, _ in scene.started()] == ["programme"]


async def test_card_lost_in_silence_is_noticed(scene: Scene) -> None:
    scene.board.sound_card.unplug()
    await scene.until(30_000)
    assert scene.events(CardChanged) == [CardChanged(False)]


async def test_switch_while_the_card_is_away(scene: Scene) -> None:
    await scene.switch(scene.programme(1000), at_ms=1000)
    await scene.until(3000)
    scene.board.sound_card.unplug()
    await scene.until(3500)
    await scene.switch(scene.alert())
    await scene.until(6000)
    assert scene.ended() == [("programme", "superseded")]
    scene.board.sound_card.plug()
    await scene.until(9000)
    assert scene.started()[-1][0] == "alert"
    assert level_cdb(scene.heard(), 7500, 9000) > -2000


async def test_broken_microphone_ends_as_failed(scene: Scene) -> None:
    scene.board.sim_microphone.recording = melody(4, duration_ms=5000)
    await scene.switch(scene.microphone())
    await scene.until(2000)
    scene.board.sim_microphone.broken = True
    await scene.until(3000)
    assert scene.ended() == [("microphone", "source_failed")]


async def test_station_is_heard_as_it_sends(scene: Scene) -> None:
    await scene.switch(scene.station_output())
    await scene.until(4000)
    assert find(scene.heard(2000, 3000).samples, scene.station.sound).correlation > 0.999


async def test_tuner_without_an_answer_fails(scene: Scene) -> None:
    assert scene.board.sim_tuner is not None
    scene.board.sim_tuner.broken = True
    await scene.switch(scene.station_output())
    await scene.until(2000)
    assert scene.ended() == [("fm", "source_failed")]


async def test_muted_amplifier_stays_off(scene: Scene) -> None:
    await scene.engine.mute(True)
    await scene.switch(scene.programme(1000), at_ms=1000)
    await scene.until(3000)
    assert not any(scene.heard().samples)
    await scene.engine.mute(False)
    await scene.until(6000)
    assert level_cdb(scene.heard(), 4000, 6000) > -3000


async def test_sound_nobody_ordered_is_measured(scene: Scene) -> None:
    scene.board.sim_amplifier.bridge(True)
    scene.board.horn.stray(0.1)
    await scene.until(10_000)
    loud = [one for one in scene.levels() if (one.output_level_cdb or LEVEL_SILENCE_CDB) > -4000]
    assert len(loud) >= 3
    assert all(one.level_cdb == LEVEL_SILENCE_CDB for one in loud)


async def test_levels_come_every_second_with_the_amplifier(scene: Scene) -> None:
    await scene.switch(scene.programme(1000), at_ms=1000)
    await scene.until(11_000)
    levels = scene.events(LevelMeasured)
    assert 9 <= len(levels) <= 11
    assert all(abs(one.level_cdb - (one.output_level_cdb or 0)) < 300 for one in levels[1:])


async def test_ended_sound_tells_its_mean_level(scene: Scene) -> None:
    await scene.switch(scene.programme(1000), at_ms=1000)
    await scene.until(14_000)
    (ended,) = scene.events(SoundEnded)
    assert ended.level_cdb == pytest.approx(level_cdb(scene.heard(), 1000, 13_000), abs=5)
    assert ended.output_level_cdb == pytest.approx(ended.level_cdb, abs=100)
    assert ended.wall - ended.began == pytest.approx(12_000, abs=20)


async def test_programme_that_breaks_off_is_told(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = encode(SONG, tmp_path_factory.mktemp("broken") / "song.wav")
    scene.shelf.put(whole)
    media = scene.shelf.put(whole, duration_ms=12_000)
    whole.write_bytes(b"")
    await scene.switch(scene.programme(1000, media=media), at_ms=1000)
    await scene.until(2000)
    assert scene.ended() == [("programme", "source_failed")]


async def test_mute_ends_what_the_line_did_by_itself(scene: Scene) -> None:
    scene.board.horn.stray(0.1)
    scene.board.sim_amplifier.glitch()
    await scene.until(4000)
    assert level_cdb(scene.heard(), 2000, 4000) > -4000
    await scene.engine.mute(True)
    await scene.until(6000)
    assert level_cdb(scene.heard(), 4100, 6000) == LEVEL_SILENCE_CDB


async def test_loud_programme_stays_under_the_ceiling(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> None:
    loud = audioop.mul(melody(3, duration_ms=6000), 2, 9)
    media = scene.shelf.put(encode(loud, tmp_path_factory.mktemp("loud") / "loud.wav"), duration_ms=6000)
    await scene.switch(scene.programme(1000, media=media), at_ms=1000)
    await scene.until(4000)
    await scene.switch(scene.alert())
    await scene.until(7500)
    assert 0.99 * CEILING < audioop.max(scene.heard().samples, 2) <= CEILING
