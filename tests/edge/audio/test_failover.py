"""A source that dies, by closing or by falling silent, is replaced before anybody misses it: told by the samples."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from edge.core.events import SoundEnded, SoundFailing, SoundRecovered
from edge.core.output import Output, Rung
from edge.ports import CardLostError
from protocol.bulletin import MediaRef
from protocol.report import EndReason
from simulators.encoder import opus_packets
from simulators.fm_station import SimTuner
from simulators.listening import find, largest_step, longest_silence_ms
from simulators.melody import melody
from tests.edge.audio.conftest import SONG
from tests.edge.audio.scene import EPOCH, RADIO, Scene

SPEECH = melody(21, duration_ms=20_000)
PACKETS = opus_packets(SPEECH)
SESSION = "ab" * 16
MISSING = MediaRef("0" * 64, 1, 12_000)


async def follow(scene: Scene, *, by: Output) -> None:
    """The core, as far as these stories need it: what fails gives way to the next."""
    seen = 0
    while True:
        await asyncio.sleep(0.01)
        if len(scene.events(SoundFailing)) > seen:
            seen += 1
            await scene.switch(by)


@pytest.fixture
async def on_air(scene: Scene) -> AsyncIterator[Scene]:
    """A web radio that sounds since second 8; every station and song here is of another melody."""
    await scene.switch(scene.stream(), at_ms=8000)
    await scene.until(12_000)
    yield scene


def die(scene: Scene, how: str) -> None:
    if how == "closes":
        scene.radio.close()
    else:
        scene.radio.sends = False


@pytest.mark.parametrize("how", ["closes", "falls silent"])
@pytest.mark.parametrize("next_is", ["programme", "fm"])
async def test_stream_is_replaced_without_a_gap(on_air: Scene, how: str, next_is: str) -> None:
    following = on_air.programme(8000) if next_is == "programme" else on_air.station_output()
    waiting = asyncio.create_task(follow(on_air, by=following))
    die(on_air, how)
    await on_air.until(18_000)
    waiting.cancel()
    heard = on_air.heard()
    assert longest_silence_ms(heard, 8100, 17_900) == 0
    natural = max(largest_step(one) for one in (SONG, on_air.radio.sound, on_air.station.sound))
    assert largest_step(heard.between(8100, 17_900).samples) <= natural + 40
    assert [key for key, _ in on_air.started()] == ["stream", following.key.partition("/")[0]]
    assert on_air.ended() == [("stream", "superseded")]


@pytest.mark.parametrize("how", ["closes", "falls silent"])
async def test_programme_that_follows_is_at_its_place(on_air: Scene, how: str) -> None:
    waiting = asyncio.create_task(follow(on_air, by=on_air.programme(8000)))
    die(on_air, how)
    await on_air.until(19_000)
    waiting.cancel()
    found = find(SONG[8000 * 96 : 9000 * 96], on_air.heard(12_000).samples)
    assert found.correlation > 0.99
    assert 12_000 + found.offset_ms == pytest.approx(8000 + 8000, abs=1.1)


@pytest.mark.parametrize(("how", "lasts_ms"), [("closes", 3000), ("falls silent", 3000)])
async def test_what_is_held_sounds_to_its_end(on_air: Scene, how: str, lasts_ms: int) -> None:
    die(on_air, how)
    await on_air.until(20_000)
    (ended,) = on_air.events(SoundEnded)
    assert isinstance(ended, SoundEnded) and ended.reason is EndReason.SOURCE_FAILED
    assert ended.wall - EPOCH == pytest.approx(12_000 + lasts_ms, abs=500)
    assert longest_silence_ms(on_air.heard(), 8100, 12_000 + lasts_ms - 500) == 0


async def test_pause_shorter_than_a_second_is_nothing(on_air: Scene) -> None:
    on_air.radio.sends = False
    await on_air.until(12_800)
    on_air.radio.sends = True
    await on_air.until(20_000)
    assert on_air.events(SoundFailing) == []
    assert longest_silence_ms(on_air.heard(), 8100, 19_900) == 0


async def test_pause_that_ends_before_anything_followed_loses_nothing(on_air: Scene) -> None:
    on_air.radio.sends = False
    await on_air.until(14_000)
    on_air.radio.sends = True
    await on_air.until(22_000)
    assert [type(one) for one in on_air.told if isinstance(one, SoundFailing | SoundRecovered)] == [
        SoundFailing,
        SoundRecovered,
    ]
    assert longest_silence_ms(on_air.heard(), 8100, 21_900) == 0
    began = find(on_air.radio.sound[: 8000 * 96], on_air.heard().samples)
    assert began.correlation > 0.99 or find(on_air.radio.sound[6000 * 96 : 14_000 * 96], on_air.heard().samples)


async def test_stream_is_young_when_it_begins(scene: Scene) -> None:
    scene.radio.burst_ms = 0
    await scene.switch(scene.stream(), at_ms=8000)
    await scene.until(10_000)
    found = find(scene.radio.sound[5000 * 96 : 6000 * 96], scene.heard(7000).samples)
    assert found.correlation > 0.99
    assert 7000 + found.offset_ms == pytest.approx(8000 + 100, abs=250), "what was sent at 5.1 s is held for 3"


async def test_station_that_answers_late_begins_when_three_seconds_are_held(scene: Scene) -> None:
    scene.radio.answers_after_ms, scene.radio.burst_ms = 6000, 0
    await scene.switch(scene.stream())
    await scene.until(12_000)
    assert scene.started() == [("stream", pytest.approx(9000, abs=200))]


@pytest.mark.parametrize(("rung", "goes_on"), [(Rung.FM_FALLBACK, True), (Rung.FM_SLOT, False)])
async def test_fm_goes_on_until_a_web_radio_is_there_only_if_it_stands_in(
    scene: Scene, rung: Rung, goes_on: bool
) -> None:
    scene.radio.answers_after_ms, scene.radio.burst_ms = 4000, 0
    await scene.switch(replace(scene.station_output(), rung=rung))
    await scene.until(3000)
    await scene.switch(scene.stream())
    await scene.until(14_000)
    assert [key for key, _ in scene.started()] == ["fm", "stream"]
    gap_ms = longest_silence_ms(scene.heard(), 2000, 13_900)
    assert gap_ms == 0 if goes_on else gap_ms > 3000


async def test_station_that_gives_too_little_fails(scene: Scene) -> None:
    scene.radio.burst_ms = 500
    scene.radio.sends = False
    await scene.switch(scene.stream())
    await scene.until(22_000)
    assert scene.ended() == [("stream", "source_failed")]


async def test_planned_stream_that_dies_before_its_second_is_told(scene: Scene) -> None:
    await scene.switch(scene.programme(0))
    await scene.until(2000)
    await scene.switch(scene.stream(), at_ms=8000)
    await scene.until(6000)
    scene.radio.close()
    await scene.until(6500)
    assert scene.ended()[-1] == ("stream", "source_failed")


async def test_burst_beyond_what_is_held_waits_in_the_network(on_air: Scene) -> None:
    on_air.radio.burst_ms = 60_000
    on_air.radio.close()
    await on_air.switch(on_air.stream("http://radio.vn/other"))
    on_air.player.radios["http://radio.vn/other"] = on_air.radio
    await on_air.until(60_000)
    assert longest_silence_ms(on_air.heard(), 20_000, 59_000) == 0


async def test_alert_goes_over_a_stream_and_a_message(on_air: Scene) -> None:
    await on_air.switch(on_air.alert())
    await on_air.until(18_000)
    assert on_air.ended() == [("stream", "superseded")]
    assert longest_silence_ms(on_air.heard(), 12_000, 14_900) == 0


async def test_message_plays_once_from_its_first_sample(scene: Scene) -> None:
    await scene.until(1000)
    await scene.switch(scene.message())
    await scene.until(15_000)
    found = find(SONG[: 11_000 * 96], scene.heard().samples)
    assert found.correlation > 0.99 and found.offset_ms == pytest.approx(1700, abs=100)
    assert scene.ended() == [("message", "complete")]


async def test_message_that_is_not_stored_fails(scene: Scene) -> None:
    await scene.switch(scene.message(MISSING))
    await scene.until(1500)
    assert scene.ended() == [("message", "source_failed")]


async def test_card_that_is_pulled_does_not_wait_for_a_station(on_air: Scene) -> None:
    on_air.board.sound_card.unplug()
    await on_air.until(13_000)
    on_air.radio.answers_after_ms = 9000
    on_air.board.sound_card.plug()
    await on_air.until(14_500)
    assert longest_silence_ms(on_air.heard(), 14_000, 14_400) == 0


# Live sessions.


async def speak(scene: Scene, *, each_ms: int, until_ms: int) -> None:
    count = each_ms // 20
    begin_ms = scene.now_ms
    for counter in range((until_ms - begin_ms) // each_ms):
        await scene.until(begin_ms + counter * each_ms)
        scene.engine.feed_live(SESSION, counter, PACKETS[counter * count : (counter + 1) * count])


@pytest.mark.parametrize("each_ms", [200, 400, 1000])
async def test_live_session_is_replaced_without_a_gap(scene: Scene, each_ms: int) -> None:
    waiting = asyncio.create_task(follow(scene, by=scene.programme(2000)))
    await scene.switch(scene.live())
    await speak(scene, each_ms=each_ms, until_ms=8000)
    await scene.until(12_000)
    waiting.cancel()
    begun_ms = scene.started()[0][1]
    assert longest_silence_ms(scene.heard(), begun_ms + 100, 11_900) == 0
    assert [key for key, _ in scene.started()] == ["live", "programme"]


@pytest.mark.parametrize("each_ms", [200, 1000])
async def test_live_session_with_a_little_jitter_does_not_fail(scene: Scene, each_ms: int) -> None:
    await scene.switch(scene.live())
    for counter in range(12):
        count = each_ms // 20
        late_ms = 250 if counter % 3 == 1 else 0
        await scene.until(counter * each_ms + late_ms)
        scene.engine.feed_live(SESSION, counter, PACKETS[counter * count : (counter + 1) * count])
    told_by = scene.now_ms
    assert scene.events(SoundFailing) == []
    begun_ms = scene.started()[0][1]
    assert longest_silence_ms(scene.heard(), begun_ms + 100, told_by) == 0


async def test_programme_goes_on_until_a_live_session_is_gathered(scene: Scene) -> None:
    await scene.switch(scene.programme(0))
    await scene.until(3000)
    speaking = asyncio.create_task(speak(scene, each_ms=200, until_ms=9000))
    await scene.until(3100)
    await scene.switch(scene.live())
    await scene.until(8000)
    await speaking
    assert [key for key, _ in scene.started()] == ["programme", "live"]
    assert longest_silence_ms(scene.heard(), 1500, 7900) <= 20


async def test_what_follows_cannot_be_had_either(on_air: Scene) -> None:
    waiting = asyncio.create_task(follow(on_air, by=on_air.programme(8000, media=MISSING)))
    on_air.radio.sends = False
    await on_air.until(18_000)
    waiting.cancel()
    assert ("programme", "source_failed") in on_air.ended()
    assert [key for key, _ in on_air.ended()].count("stream") == 1


async def test_failing_source_gives_way_to_the_microphone_at_once(on_air: Scene) -> None:
    on_air.board.sim_microphone.recording = melody(4, duration_ms=5000)
    on_air.radio.close()
    await on_air.switch(on_air.microphone())
    await on_air.until(14_000)
    assert on_air.started()[-1][0] == "microphone" and on_air.started()[-1][1] <= 12_400


async def test_broken_tuner_after_a_failing_stream(on_air: Scene) -> None:
    tuner = on_air.board.tuner()
    assert isinstance(tuner, SimTuner)
    tuner.broken = True
    waiting = asyncio.create_task(follow(on_air, by=on_air.station_output()))
    on_air.radio.sends = False
    await on_air.until(18_000)
    waiting.cancel()
    assert ("fm", "source_failed") in on_air.ended()
    with pytest.raises(CardLostError):
        await tuner.signal()
    assert RADIO in on_air.player.radios and Rung.FM_SLOT > Rung.MICROPHONE
