"""Programmes begin at their sample, whole, and where the wall clock says."""

from __future__ import annotations

import asyncio

import pytest

from protocol.clock import WallMs
from simulators.listening import find, first_sound_ms
from simulators.virtual_loop import VirtualLoop
from tests.edge.audio.conftest import SONG
from tests.edge.audio.scene import EPOCH, Scene


def song(begin_ms: int, duration_ms: int) -> bytes:
    """A part of the stored programme."""
    return SONG[begin_ms * 96 : (begin_ms + duration_ms) * 96]


@pytest.mark.parametrize("start_ms", [3000, 3007, 3013])
async def test_start_leaves_at_its_sample(scene: Scene, start_ms: int) -> None:
    await scene.switch(scene.programme(start_ms), at_ms=start_ms)
    await scene.until(start_ms + 3000)
    found = find(song(500, 1000), scene.heard().samples)
    assert found.offset_ms - 500 == pytest.approx(start_ms, abs=0.1)
    assert found.correlation > 0.999
    assert scene.started() == [("programme", start_ms)]


async def test_amplifier_is_on_a_lead_in_before(scene: Scene) -> None:
    await scene.switch(scene.programme(5000), at_ms=5000)
    await scene.until(7000)
    (edge,) = scene.board.sim_amplifier.edges
    assert 5000 - 750 <= edge.mono_ms - scene.at(0) <= 5000 - 700


async def test_no_word_is_cut_at_the_head(scene: Scene) -> None:
    await scene.switch(scene.programme(3000), at_ms=3000)
    await scene.until(5000)
    first = first_sound_ms(scene.heard())
    assert first == pytest.approx(3000, abs=0.2)


async def test_whole_programme_is_heard(scene: Scene) -> None:
    await scene.switch(scene.programme(2000), at_ms=2000)
    await scene.until(15_000)
    heard = scene.heard(2000, 14_000)
    assert find(song(1000, 10_000), heard.samples).correlation > 0.9999
    assert scene.ended() == [("programme", "complete")]


async def test_late_start_plays_the_present_offset(scene: Scene) -> None:
    await scene.until(4000)
    await scene.switch(scene.programme(1000))
    await scene.until(7000)
    ((_, began),) = scene.started()
    assert 4700 <= began <= 4900
    found = find(song(5000, 500), scene.heard().samples)
    assert found.offset_ms - 5000 == pytest.approx(1000, abs=1.1)


async def test_restarted_item_counts_from_its_origin(scene: Scene) -> None:
    output = scene.programme(1000)
    again = type(output)(output.rung, output.document, output.item, output.start, WallMs(EPOCH + 3000), output.media)
    await scene.switch(again, at_ms=3000)
    await scene.until(5000)
    assert find(song(200, 500), scene.heard().samples).offset_ms - 200 == pytest.approx(3000, abs=0.1)


async def test_planned_start_that_is_forgotten_stays_silent(scene: Scene) -> None:
    await scene.switch(scene.programme(3000), at_ms=3000)
    await scene.until(2600)
    await scene.silence()
    await scene.until(10_000)
    assert not any(scene.heard().samples)
    assert scene.started() == []
    assert not scene.board.sim_amplifier.on


async def test_same_key_changes_nothing(scene: Scene) -> None:
    await scene.switch(scene.programme(2000), at_ms=2000)
    await scene.until(4000)
    await scene.switch(scene.programme(2000))
    await scene.until(6000)
    assert find(song(1000, 2500), scene.heard(2000).samples).correlation > 0.9999
    assert scene.ended() == []


async def test_programme_that_is_not_stored_fails(scene: Scene) -> None:
    media = scene.song
    scene.shelf.delete(media.digest)
    await scene.switch(scene.programme(2000), at_ms=2000)
    await scene.until(2500)
    assert scene.ended() == [("programme", "source_failed")]
    assert scene.started() == []


async def test_programmes_follow_without_mixing(scene: Scene) -> None:
    await scene.switch(scene.programme(2000), at_ms=2000)
    await scene.until(3500)
    await scene.switch(scene.programme(4000, item="next"), at_ms=4000)
    await scene.until(6000)
    heard = scene.heard().samples
    assert find(song(1500, 450), heard).correlation > 0.9999
    second = find(song(50, 1500), heard[3900 * 96 :])
    assert second.offset_ms + 3900 - 50 == pytest.approx(4000, abs=0.1)
    assert second.correlation > 0.9999
    assert scene.ended() == [("programme", "superseded")]


async def test_idle_engine_sleeps(scene: Scene) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    await scene.until(100)
    before = loop.turns
    await scene.until(60_100)
    assert loop.turns - before < 120, "twice a second would be too often"


async def test_amplifier_goes_off_after_its_hold_time(scene: Scene) -> None:
    scene.engine.configure(lead_in_ms=700, hold_ms=2000)
    await scene.switch(scene.programme(2000), at_ms=2000)
    await scene.until(4000)
    await scene.silence()
    await scene.until(8000)
    off = scene.board.sim_amplifier.edges[-1]
    assert off.on is False
    assert 6000 <= off.mono_ms - scene.at(0) <= 6200
