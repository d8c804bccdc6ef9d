"""A programme stays where the clock says, whatever the card's crystal does."""

from __future__ import annotations

from array import array

import pytest

from edge.audio.fit import fitted
from simulators.listening import find
from tests.edge.audio.conftest import SONG
from tests.edge.audio.scene import Scene


def beside_ms(scene: Scene, media_ms: int, *, start_ms: int) -> float:
    """How late a second of the programme is heard."""
    at_ms = start_ms + media_ms
    heard = scene.heard(at_ms - 200, at_ms + 1300)
    found = find(SONG[media_ms * 96 : (media_ms + 1000) * 96], heard.samples)
    assert found.correlation > 0.8
    return found.offset_ms - 200


@pytest.mark.parametrize(("error_ppm", "beside_ms_max"), [(0, 1.0), (300, 2.2), (800, 3.5), (-300, 2.2), (-800, 3.5)])
async def test_a_crystal_that_is_wrong_does_not_pull_two_horns_apart(
    scene: Scene, error_ppm: float, beside_ms_max: float
) -> None:
    scene.board.sound_card.error_ppm = error_ppm
    await scene.switch(scene.programme(2000), at_ms=2000)
    await scene.until(13_500)
    assert beside_ms(scene, 10_000, start_ms=2000) == pytest.approx(0, abs=beside_ms_max)
    assert scene.started() == [("programme", 2000)]


async def test_a_programme_is_brought_back_to_its_place_and_not_to_the_edge(scene: Scene) -> None:
    """Else a card that is too fast and one that is too slow stay twice the edge apart for the rest of the hour."""
    scene.board.sound_card.error_ppm = 300
    await scene.switch(scene.programme(2000), at_ms=2000)
    await scene.until(13_500)
    places = [beside_ms(scene, media_ms, start_ms=2000) for media_ms in range(4000, 10_000, 500)]
    assert max(places) > 1.0, "it was beside"
    assert min(places[places.index(max(places)) :]) < 0.8, "and came back"


async def test_a_card_that_stood_still_goes_on_at_the_present_place(scene: Scene) -> None:
    await scene.switch(scene.programme(2000), at_ms=2000)
    await scene.until(4000)
    scene.board.sound_card.stands_ms = 1500
    await scene.until(12_000)
    assert beside_ms(scene, 8000, start_ms=2000) == pytest.approx(0, abs=3.5)
    await scene.until(15_000)
    assert scene.ended() == [("programme", "complete")]


async def test_a_right_card_gets_every_sample(scene: Scene) -> None:
    await scene.switch(scene.programme(2000), at_ms=2000)
    await scene.until(13_000)
    found = find(SONG[96_000 : 96_000 * 9], scene.heard(2000, 13_000).samples)
    assert found.correlation > 0.99999


def test_one_sample_is_left_out_or_repeated_where_neighbours_are_alike() -> None:
    sound = array("h", [0, 100, 200, 201, 300])
    assert array("h", fitted(sound.tobytes(), 4)).tolist() == [0, 100, 200, 300]
    assert array("h", fitted(sound.tobytes(), 6)).tolist() == [0, 100, 200, 201, 201, 300]


def test_a_sound_that_is_at_its_end_is_left_as_it_is() -> None:
    assert fitted(b"", 960) == b""
    assert fitted(bytes(20), 960) == bytes(20)
