"""What is said at once in the world, and who may say it: emergencies, live speech, grants, stolen keys, moves."""

from __future__ import annotations

import pytest

from edge.core.output import AlertOutput, LiveOutput
from protocol.document import Kind
from protocol.errors import Refusal
from protocol.report import EndReason
from simulators.world.clock import DAWN
from simulators.world.office import OPERATOR, PROVINCE
from simulators.world.paths import ALERT_PATH, DOC_PATH, deliver
from simulators.world.people import chosen, in_words, words_of
from simulators.world.plan import Happening
from simulators.world.world import World
from tests.simulators.world.play import (
    DEVICE,
    MINUTE_MS,
    NIGHT,
    OTHER,
    SIX,
    UNIT,
    alert,
    change,
    play,
    programmes,
)

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
        keys: list[str] = []

        def sign_with_both() -> None:
            assert world.offices.posts[world.communes[0], OPERATOR].signers != tuple(keys)
            again = world.people.schedule(world.communes[0])
            made = world.offices.sign(Kind.SCHEDULE, again.document, *keys, at=world.trace_wall())
            former.append(made.envelope.pack())
            deliver(world, UNIT, DOC_PATH, former[0])

        world.later(NIGHT - 1000, lambda: keys.extend(world.offices.posts[world.communes[0], OPERATOR].signers))
        world.later(NIGHT + 60_000, sign_with_both)

    story = play(Happening(NIGHT, UNIT, "people.renew", 0, "new"), change(NIGHT + 90_000), hours=0.4, before=remember)
    assert former
    assert story.refusals("schedule") == [Refusal.GRANT_RENEWED]
    assert len(story.received("schedule")) == 4, "two before, one signed anew with the new key, and the change"


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
