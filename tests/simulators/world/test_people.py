"""What people do in the world: each kind does what it says, and devices take it or say why not."""

from __future__ import annotations

import pytest

from edge.core.output import AlertOutput
from protocol.document import Kind
from protocol.errors import Refusal
from simulators.world.clock import DAWN
from simulators.world.faults.haste import UNREADABLE
from simulators.world.paths import ALERT_PATH, DOC_PATH
from simulators.world.plan import Happening
from tests.simulators.world.play import (
    DEVICE,
    MINUTE_MS,
    NIGHT,
    SIX,
    UNIT,
    alert,
    change,
    play,
    programmes,
)

# Schedules.


@pytest.mark.slow
def test_items_are_added_moved_and_taken_out() -> None:
    story = play(
        change(SIX, item="x1"),
        change(SIX + MINUTE_MS, item="x2", target="d00001", in_s=30),
        change(SIX + 3 * MINUTE_MS, item="x3", in_s=600),
        change(SIX + 4 * MINUTE_MS, "move", pick=5, in_s=60),
        change(SIX + 8 * MINUTE_MS, item="x4", in_s=60),
        change(SIX + 8 * MINUTE_MS + 20_000, "drop", pick=8),
        devices=2,
        hours=6.5,
    )
    assert story.world is not None
    assert set(programmes(story, "d00001")) - set(programmes(story)) == {"x2"}
    assert programmes(story)["x1"] == pytest.approx(10_000, abs=100)
    assert len(story.world.people.desks[UNIT].extras) == 4 or "x4" not in programmes(story)


@pytest.mark.slow
def test_items_that_collide_follow_one_another_as_the_commune_says() -> None:
    story = play(
        change(SIX, "collide", item="x1", word="yes", seconds=40),
        change(SIX + 5 * MINUTE_MS, "collide", item="x2", seconds=40),
        hours=6.2,
    )
    heard = programmes(story)
    assert list(heard) == ["x1b", "x1a", "x2a", "x2b"]
    assert heard["x1a"] == pytest.approx(50_000, abs=2000)


@pytest.mark.slow
def test_whatever_cannot_sound_is_a_fault_or_another_source() -> None:
    story = play(
        change(SIX, content="missing", item="x1"),
        change(SIX + 2 * MINUTE_MS, content="stream", item="x2"),
        change(SIX + 4 * MINUTE_MS, content="fm", item="x3"),
        change(SIX + 6 * MINUTE_MS, content="wrong_pi", item="x4"),
        hours=6.2,
    )
    codes = {one.thing.code.value for one in story.told("report.fault") if one.at >= DAWN + SIX}
    assert "media_missing" in codes
    assert any(heard.output.key.startswith("stream") for _, heard in story.heard(DEVICE, since_ms=SIX))


@pytest.mark.slow
def test_everything_deleted_comes_back_after_half_an_hour() -> None:
    story = play(change(NIGHT, "empty"), hours=1)
    assert story.world is not None
    kept = [one.document for one in story.world.offices.signed.values() if one.kind is Kind.SCHEDULE]
    counts = [len(one.items) for one in kept if one.scope == UNIT]  # type: ignore[union-attr]
    assert counts[1] == 0
    assert counts[2] == counts[0] > 0


def test_older_version_that_arrives_later_is_refused() -> None:
    story = play(Happening(NIGHT, UNIT, "people.overtaken", 2000, DOC_PATH), hours=0.3)
    assert story.refusals("schedule") == [Refusal.OLDER_VERSION]
    assert len(story.received("schedule")) == 3, "the province's, the commune's and the newer one"


def test_same_document_twice_is_taken_once() -> None:
    story = play(
        alert(NIGHT),
        Happening(NIGHT + 1000, UNIT, "people.again", 50, "controller"),
        Happening(NIGHT + 2000, UNIT, "people.again", 50, ALERT_PATH),
        hours=0.3,
    )
    assert len(story.received("alert")) == 1
    assert story.refusals() == []
    assert len([one for _, one in story.heard(DEVICE) if isinstance(one.output, AlertOutput)]) == 1


@pytest.mark.parametrize(
    ("number", "words", "refusal"),
    [
        (3_600_000, "schedule", Refusal.NOT_YET_VALID),
        (-70 * 86_400_000, "schedule", Refusal.EXPIRED),
        (3_600_000, "alert", Refusal.NOT_YET_VALID),
        (-3_600_000, "alert", Refusal.EXPIRED),
    ],
)
def test_wrong_date_is_refused(number: int, words: str, refusal: Refusal) -> None:
    story = play(Happening(NIGHT, UNIT, "people.false_date", number, words), hours=0.5)
    assert story.refusals(words) == [refusal]
    assert len(story.received("schedule")) == (3 if words == "schedule" else 2), "it was noticed and signed anew"


def test_document_that_cannot_be_read_is_refused() -> None:
    ways = [Happening(NIGHT + 1000 * at, UNIT, "people.unreadable", 0, way) for at, way in enumerate(UNREADABLE)]
    story = play(*ways, hours=0.3)
    assert story.refusals() == [Refusal.MALFORMED_DOCUMENT] * len(UNREADABLE)


@pytest.mark.parametrize(
    ("carried", "refusals"),
    [
        ("fresh", set()),
        ("old", {Refusal.OLDER_VERSION}),
        ("alert", {Refusal.NOT_BY_STICK}),
        ("foreign", {Refusal.UNKNOWN_KEY, Refusal.GRANT_WITHOUT_PARENT}),
    ],
)
def test_stick_is_taken_as_what_it_is(carried: str, refusals: set[Refusal]) -> None:
    unsent = Happening(NIGHT, UNIT, "people.overtaken", 0, "controller")
    number = 1 if carried == "foreign" else 0
    story = play(unsent, Happening(2 * NIGHT, DEVICE, "people.stick", number, carried), devices=6, hours=0.5)
    assert set(story.refusals(device=DEVICE)) == refusals
    assert len(story.received("bundle", DEVICE)) == 1
    assert not story.heard(DEVICE)


# Rules.


@pytest.mark.slow
def test_quiet_hours_of_today_silence_a_programme() -> None:
    story = play(
        change(SIX, seconds=600, item="x1"),
        Happening(SIX + 2 * MINUTE_MS, UNIT, "people.rules", 60, "quiet"),
        hours=6.3,
    )
    ended = [one.at - DAWN - SIX for one in story.told("sound.ended", DEVICE) if one.at - DAWN > SIX]
    assert ended[0] == pytest.approx(3 * MINUTE_MS, abs=2000)


def test_each_rule_of_the_horn_is_taken() -> None:
    names = ("microphone", "gain", "lead_in", "talk", "fallback", "head_age", "message", "loud")
    changes = [Happening(NIGHT + 5000 * at, UNIT, "people.rules", 1999, name) for at, name in enumerate(names)]
    story = play(*changes, hours=0.3)
    assert len(story.received("audible-config")) == 1 + len(names)
    assert story.refusals() == []
