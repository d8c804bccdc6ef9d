"""What people do in the world: each kind does what it says, and devices take it or say why not."""

from __future__ import annotations

import pytest

from edge.core.output import AlertOutput, LiveOutput, ProgrammeOutput
from protocol.document import Kind
from protocol.errors import Refusal
from protocol.report import EndReason
from protocol.units import UnitPath
from simulators.world.clock import DAWN
from simulators.world.faults.haste import UNREADABLE
from simulators.world.office import OPERATOR, PROVINCE
from simulators.world.paths import ALERT_PATH, DOC_PATH, deliver
from simulators.world.people import chosen, in_words, words_of
from simulators.world.plan import Happening
from simulators.world.world import World
from tests.simulators.world.play import MINUTE_MS, SIX, Story, play

UNIT, OTHER = UnitPath(f"{PROVINCE}/31000"), UnitPath(f"{PROVINCE}/31001")
DEVICE = "d00000"
NIGHT = 10 * MINUTE_MS
"""Ten past midnight: what is refused is refused at any hour."""


def change(at_ms: int, act: str = "add", **fields: object) -> Happening:
    """A change of the schedule; what is not named is a minute of ordinary sound in ten seconds."""
    plain = {
        "act": act,
        "item": f"x{at_ms}",
        "pick": 0,
        "in_s": 10,
        "seconds": 60,
        "content": "programme",
        "target": "all",
        "catch_up": "resume",
        "word": "no",
        "class": "ordinary",
    }
    return Happening(at_ms, UNIT, "people.schedule", 0, in_words(**(plain | fields)))


def alert(at_ms: int, *, who: str = UNIT, life_ms: int = MINUTE_MS, **fields: object) -> Happening:
    """An emergency; what is not named is plain."""
    plain = {"id": f"a{at_ms}", "kind": Kind.ALERT, "severity": 3, "media": "no", "late_ms": 0, "wide": ""}
    return Happening(at_ms, who, "people.alert", life_ms, in_words(**(plain | fields)))


def programmes(story: Story, device: str = DEVICE) -> dict[str, int]:
    """First second of each item, since six o'clock."""
    found: dict[str, int] = {}
    for at_ms, heard in story.heard(device, since_ms=SIX):
        if isinstance(heard.output, ProgrammeOutput):
            found.setdefault(heard.output.item, at_ms - SIX)
    return found


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


# Emergencies.


def test_emergency_is_heard_until_its_cancel() -> None:
    story = play(alert(NIGHT, parts=3, media="yes"), Happening(NIGHT + 20_000, UNIT, "people.cancel", 0, f"a{NIGHT}"))
    (began, heard), *others = [one for one in story.heard(DEVICE) if isinstance(one[1].output, AlertOutput)]
    ended = next(one.at - DAWN for one in story.told("sound.ended", DEVICE) if one.thing.output == heard.output)
    assert not others
    assert began - NIGHT < 1000
    assert ended - NIGHT == pytest.approx(20_000, abs=1000)


def test_cancel_that_overtakes_its_alert_silences_it() -> None:
    late = alert(NIGHT, late_ms=30_000)
    story = play(late, Happening(NIGHT + 5000, UNIT, "people.cancel", 0, f"a{NIGHT}"), hours=0.3)
    assert not story.heard(DEVICE)
    assert story.received("cancel")


def test_cancel_after_the_end_changes_nothing() -> None:
    story = play(alert(NIGHT), Happening(NIGHT + 90_000, UNIT, "people.cancel", 0, f"a{NIGHT}"), hours=0.3)
    assert len(story.heard(DEVICE)) == 1
    assert not story.received("cancel")


def test_emergency_of_several_communes_takes_two_signers() -> None:
    wide = alert(NIGHT, who=PROVINCE, wide="31000,31001")
    story = play(wide, alert(NIGHT + 20_000, severity=4), devices=6, hours=0.3)
    assert story.world is not None
    signed = [one for one in story.world.offices.signed.values() if one.kind is Kind.ALERT]
    assert [len(one.by) for one in signed] == [2, 1]
    assert story.heard("d00005")
    (_, first), (_, second), *_ = story.heard(DEVICE)
    assert first.output.key != second.output.key, "the higher severity goes first"


@pytest.mark.slow
def test_exercises_are_silent_at_night_and_heard_by_day() -> None:
    kinds = (Kind.ALERT_TEST, Kind.ALERT_DRILL)
    exercises = [
        alert(hour + 3 * MINUTE_MS * at, kind=kind) for at, kind in enumerate(kinds) for hour in (NIGHT, SIX)
    ]
    story = play(*exercises, hours=6.2)
    heard = [at_ms for at_ms, one in story.heard(DEVICE) if isinstance(one.output, AlertOutput)]
    assert len(heard) == 2
    assert heard[0] >= SIX


@pytest.mark.slow
def test_stop_silences_a_programme() -> None:
    story = play(change(SIX, seconds=300), Happening(SIX + MINUTE_MS, UNIT, "people.stop", 30_000, DEVICE), hours=6.2)
    run = next(one.thing for one in story.told("report.asrun") if one.thing.item == f"x{SIX}")
    assert (run.end_reason, run.stopped_by) == (EndReason.STOPPED, OPERATOR)


@pytest.mark.slow
def test_live_speech_is_heard_with_its_gap() -> None:
    words = in_words(life_s=120, gap_at=10, gap_s=15, goodbye="yes", **{"class": "ordinary"})
    story = play(Happening(SIX, UNIT, "people.live", 40, words), hours=6.1)
    live = [at_ms - SIX for at_ms, one in story.heard(DEVICE, since_ms=SIX) if isinstance(one.output, LiveOutput)]
    assert len(live) == 2, "before the gap and after it"
    assert story.world is not None
    assert sum(story.world.offices.spoken.values()) == 26


# Who may speak.


def test_renewed_key_speaks_and_the_former_one_does_not() -> None:
    former: list[bytes] = []

    def remember(world: World) -> None:
        def sign_with_both() -> None:
            post = world.offices.posts[world.communes[0], OPERATOR]
            old = world.people.desks[world.communes[0]].newest[Kind.SCHEDULE]
            assert post.signers != old.by
            again = world.people.schedule(world.communes[0])
            made = world.offices.sign(Kind.SCHEDULE, again.document, *old.by, at=world.trace_wall())
            former.append(made.envelope.pack())
            deliver(world, UNIT, DOC_PATH, former[0])

        world.later(NIGHT + 60_000, sign_with_both)

    story = play(Happening(NIGHT, UNIT, "people.renew", 0, "new"), change(NIGHT + 90_000), hours=0.4, before=remember)
    assert former
    assert story.refusals("schedule") == [Refusal.GRANT_RENEWED]
    assert len(story.received("schedule")) == 3


def test_grant_that_ran_out_says_nothing_until_it_is_renewed() -> None:
    story = play(
        Happening(NIGHT, UNIT, "people.lapse", 5 * MINUTE_MS),
        alert(NIGHT + 8 * MINUTE_MS),
        Happening(NIGHT + 8 * MINUTE_MS + 1000, UNIT, "people.again", 10, ALERT_PATH),
        alert(NIGHT + 16 * MINUTE_MS),
        hours=0.6,
    )
    assert story.refusals("alert") == [Refusal.GRANT_EXPIRED]
    assert [at_ms > NIGHT + 16 * MINUTE_MS for at_ms, _ in story.heard(DEVICE)] == [True]


def test_shorter_story_leaves_other_choices_as_they_were() -> None:
    names = [f"x{number}" for number in range(20)]
    for number in range(20):
        first = chosen(number, names, name=str)
        fewer = [one for one in names if one == first or int(one[1:]) % 2]
        assert chosen(number, fewer, name=str) == first
    assert chosen(3, [], name=str) is None


@pytest.mark.slow
def test_stolen_key_is_heard_until_it_is_denied() -> None:
    stolen = Happening(SIX, UNIT, "people.stolen_key", 5 * MINUTE_MS, DOC_PATH)
    story = play(stolen, change(SIX + 20 * MINUTE_MS, in_s=60), hours=6.9)
    heard = programmes(story)
    assert heard["thief"] == pytest.approx(MINUTE_MS, abs=1500)
    thieves = [at_ms for at_ms, one in story.heard(DEVICE) if "thief" in one.output.key]
    assert len(thieves) == 1, "his other hours came after the denial"
    assert f"x{SIX + 20 * MINUTE_MS}" in heard, "the commune's own word is heard again"
    assert story.world is not None
    assert len(story.world.offices.fallen) == 1


def test_moved_device_obeys_where_it_is() -> None:
    story = play(
        Happening(NIGHT, DEVICE, "people.move", 0, in_words(to="31001", who="one")),
        alert(NIGHT + MINUTE_MS),
        alert(NIGHT + 3 * MINUTE_MS, who=OTHER),
        devices=6,
        hours=0.4,
    )
    assert [at_ms > NIGHT + 3 * MINUTE_MS for at_ms, _ in story.heard(DEVICE)] == [True]
    assert story.heard("d00001")


def test_merged_commune_moves_as_a_whole() -> None:
    story = play(Happening(NIGHT, DEVICE, "people.move", 0, in_words(to="31001", who="all")), devices=6, hours=0.3)
    assert story.world is not None
    states = [one.state for name, one in story.world.devices.items() if name != "d00005"]
    assert {one.identity.home for one in states if one is not None} == {OTHER}


def test_parameters_are_read_back() -> None:
    assert words_of(in_words(a=1, b="x_y", c="")) == {"a": "1", "b": "x_y", "c": ""}
