"""Faults that were found, each named after what a user would say."""

from __future__ import annotations

import pytest

from edge.core.effects import FetchMedia, SwitchOutput
from edge.core.events import (
    ClockRead,
    ClockSource,
    MediaStored,
    Route,
    SoundEnded,
    StopPressed,
    TalkPressed,
    TalkReleased,
)
from edge.core.output import FmOutput, ProgrammeOutput, Rung, Silence
from protocol.audible_config import Station, Window
from protocol.bulletin import BulletinClass, CatchUp
from protocol.clock import WallMs, local_second
from protocol.document import Kind
from protocol.errors import Refusal
from protocol.report import AsRun, EndReason, Receipt, Standing
from protocol.schedule import Relay
from simulators.desk import Desk
from tests.edge.core.office import COMMUNE, COMMUNE_KEY, IDENTITY, PROVINCE, Office, media, sign_document
from tests.edge.core.test_ladder import SESSION_KEY, speak
from tests.edge.core.test_programme import played, standings
from tests.edge.core.test_trust import refusals

ALL_DAY = Window(0, 86_400)
STATION = Station(97_100, "Cần Thơ", "A1B2")
FINAL = {Standing.HEARD, Standing.UNHEARD, Standing.CANCELLED}


def finals(desk: Desk, item: str) -> list[Standing]:
    return [one for one in standings(desk, item) if one in FINAL]


def offsets(desk: Desk, start: int) -> list[tuple[str, int, int]]:
    return [(name, begin - start, end - start) for name, begin, end in played(desk)]


# Programmes


def test_second_of_two_programmes_in_a_row_begins_late(desk: Desk, office: Office) -> None:
    second = desk.mono + 70_000
    office.publish(office.item("dau", 10_000), office.item("sau", 70_000))
    desk.advance(69_000)
    told = [one for one in desk.effects if isinstance(one, SwitchOutput)]
    assert isinstance(told[-1].output, ProgrammeOutput)
    assert (told[-1].output.item, told[-1].at) == ("sau", second)
    desk.advance(120_000)
    assert [name for name, _, _ in played(desk)] == ["dau", "sau"]
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.COMPLETE] * 2
    assert [finals(desk, name) for name in ("dau", "sau")] == [[Standing.HEARD]] * 2


@pytest.mark.parametrize(("late", "order"), [("tinh", ["tinh", "xa"]), ("xa", ["xa", "tinh"])])
def test_bulletin_whose_sound_came_in_time_had_lost_its_turn(
    desk: Desk, office: Office, late: str, order: list[str]
) -> None:
    """What was got ready first went first, whatever the commune's word was, or the province's right."""
    start = desk.wall + 30_000
    names = {"tinh", "xa"} - {late}
    desk.reachable = frozenset(media(name).digest for name in names)
    above = office.item("tinh", 30_000, bulletin_class=BulletinClass.PRIORITY)
    office.publish(above, scope=PROVINCE)
    own = office.item("xa", 30_000, bulletin_class=BulletinClass.PRIORITY)
    office.publish(own, precedence=(f"{COMMUNE}#xa",) if late == "xa" else ())
    desk.advance(25_000)
    desk.send(ClockRead(ClockSource.NTP, WallMs(desk.wall - 2)))
    desk.send(MediaStored(media(late).digest))
    desk.advance(200_000)
    assert offsets(desk, start) == [(order[0], 0, 60_000), (order[1], 60_000, 120_000)]
    assert [finals(desk, name) for name in order] == [[Standing.HEARD]] * 2


@pytest.mark.parametrize(("said", "heard"), [("priority", ["gap"]), ("instead", ["gap"])])
def test_what_was_told_ahead_gives_way_to_a_new_schedule(
    desk: Desk, office: Office, said: str, heard: list[str]
) -> None:
    start = desk.wall + 30_000
    first = office.item("dau", 30_000)
    office.publish(first)
    desk.advance(26_000)
    new = office.item(
        "gap", 4_000, bulletin_class=BulletinClass(said) if said == "priority" else first.bulletin_class
    )
    office.publish(*((first, new) if said == "priority" else (new,)))
    desk.advance(200_000)
    assert [name for name, _, _ in played(desk)] == heard
    assert offsets(desk, start)[0] == ("gap", 0, 60_000)


def test_second_of_three_waits_for_the_one_with_the_better_right(desk: Desk, office: Office) -> None:
    """It stood in line and was told ahead, when the province wanted the same second."""
    start = desk.wall + 30_000
    office.publish(*(office.item(name, 30_000, bulletin_class=BulletinClass.PRIORITY) for name in ("a", "b")))
    desk.advance(86_000)
    office.publish(office.item("tinh", 4_000, bulletin_class=BulletinClass.PRIORITY), scope=PROVINCE)
    desk.advance(300_000)
    assert offsets(desk, start) == [("a", 0, 60_000), ("tinh", 60_000, 120_000), ("b", 120_000, 180_000)]


def test_programme_that_waited_came_hours_late(desk: Desk, office: Office) -> None:
    second = local_second(desk.wall)
    office.configure(quiet_hours=(Window(second + 60, second + 5400),))
    office.publish(office.item("dau", 0, duration_ms=120_000), office.item("sau", 0, duration_ms=120_000))
    desk.advance(3 * 3_600_000)
    assert [name for name, _, _ in played(desk)] == ["dau"]
    assert finals(desk, "sau") == [Standing.UNHEARD]


def test_programme_that_waited_joins_at_the_wall_clock_after_an_emergency(desk: Desk, office: Office) -> None:
    start = desk.wall + 10_000
    office.publish(office.item("dau", 10_000, duration_ms=120_000), office.item("sau", 10_000, duration_ms=120_000))
    desk.advance(110_000)
    alert = office.alarm()
    desk.advance(50_000)
    office.cancel(alert)
    desk.advance(300_000)
    assert offsets(desk, start) == [("dau", 0, 100_000), ("sau", 150_000, 240_000)]


def test_programme_that_waited_follows_at_once_when_the_first_is_deleted(desk: Desk, office: Office) -> None:
    start = desk.wall + 10_000
    first, second = office.item("dau", 10_000, duration_ms=120_000), office.item("sau", 10_000)
    office.publish(first, second)
    desk.advance(60_000)
    office.publish(second)
    desk.advance(200_000)
    assert offsets(desk, start) == [("dau", 0, 50_000), ("sau", 50_000, 110_000)]


def test_three_priorities_at_one_second_follow_each_other(desk: Desk, office: Office) -> None:
    start = desk.wall + 10_000
    made = [office.item(name, 10_000, bulletin_class=BulletinClass.PRIORITY) for name in ("a", "b", "c")]
    office.publish(*made[:2], scope=PROVINCE)
    office.publish(made[2])
    desk.advance(300_000)
    assert offsets(desk, start) == [("a", 0, 60_000), ("b", 60_000, 120_000), ("c", 120_000, 180_000)]


def test_talk_let_the_waiting_priority_overtake_the_running_one(desk: Desk, office: Office) -> None:
    start = desk.wall + 10_000
    above = office.item("tinh", 70_000, bulletin_class=BulletinClass.PRIORITY)
    office.publish(office.item("xa", 10_000, bulletin_class=BulletinClass.PRIORITY, duration_ms=240_000))
    office.publish(above, scope=PROVINCE)
    desk.advance(100_000)
    desk.send(TalkPressed(False))
    desk.advance(5_000)
    desk.send(TalkReleased())
    desk.advance(300_000)
    assert offsets(desk, start) == [("xa", 0, 90_000), ("xa", 95_000, 240_000), ("tinh", 240_000, 300_000)]


def test_next_one_made_ready_was_taken_for_begun(desk: Desk, office: Office) -> None:
    office.publish(office.item("xa", 10_000, bulletin_class=BulletinClass.PRIORITY, duration_ms=240_000))
    office.publish(office.item("tinh", 70_000, bulletin_class=BulletinClass.PRIORITY), scope=PROVINCE)
    desk.advance(247_000)
    desk.send(TalkReleased())
    output = desk.state.sound.output
    assert isinstance(output, ProgrammeOutput) and output.item == "xa"
    desk.advance(60_000)
    assert [one.end_reason for one in desk.reports(AsRun) if one.item == "xa"] == [EndReason.COMPLETE]


def test_province_and_commune_use_the_same_item_name(desk: Desk, office: Office) -> None:
    start = desk.wall + 10_000
    fields = {"bulletin_class": BulletinClass.PRIORITY}
    office.publish(office.item("tin", 10_000, media=media("tinh"), **fields), scope=PROVINCE)
    office.publish(office.item("tin", 10_000, media=media("xa"), **fields))
    desk.advance(300_000)
    assert offsets(desk, start) == [("tin", 0, 60_000), ("tin", 60_000, 120_000)]
    assert finals(desk, "tin") == [Standing.HEARD] * 2


@pytest.mark.parametrize("policy", list(CatchUp))
def test_talk_at_the_wrong_second_lost_the_whole_programme(desk: Desk, office: Office, policy: CatchUp) -> None:
    start = desk.wall + 10_000
    office.publish(office.item("tin", 10_000, duration_ms=600_000, catch_up=policy))
    desk.advance(5_000)
    desk.send(TalkPressed(False))
    desk.advance(10_000)
    desk.send(TalkReleased())
    desk.advance(700_000)
    assert offsets(desk, start) == [("tin", 5_000, 600_000)]


def test_agent_that_restarts_just_before_the_start_skips_it(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 10_000, catch_up=CatchUp.SKIP))
    desk.advance(8_000)
    desk.cut_power(off_ms=500)
    desk.boot()
    desk.advance(120_000)
    assert [name for name, _, _ in played(desk)] == ["tin"]
    assert finals(desk, "tin") == [Standing.HEARD]


@pytest.mark.parametrize("policy", list(CatchUp))
@pytest.mark.parametrize("off_ms", [10_000, 300_000])
def test_interrupted_by_a_power_cut_and_never_told(desk: Desk, office: Office, policy: CatchUp, off_ms: int) -> None:
    office.publish(office.item("tin", 10_000, duration_ms=180_000, catch_up=policy))
    desk.advance(70_000)
    desk.cut_power(off_ms=off_ms)
    desk.boot()
    desk.advance(600_000)
    assert len(finals(desk, "tin")) == 1


@pytest.mark.slow
def test_long_programme_begun_again_is_cut_off(desk: Desk, office: Office) -> None:
    office.publish(office.item("dai", 0, duration_ms=3 * 3_600_000, catch_up=CatchUp.RESTART))
    desk.advance(2 * 3_600_000)
    desk.cut_power(off_ms=1000)
    desk.boot()
    begin = desk.wall
    desk.advance(4 * 3_600_000)
    assert played(desk)[-1] == ("dai", begin, begin + 3 * 3_600_000)


def test_microphone_after_many_programmes_was_not_logged(desk: Desk, office: Office) -> None:
    """What was told is remembered by key; the microphone's is always the same, and was as old as its first use."""

    def speak() -> None:
        desk.send(TalkPressed(emergency=False))
        desk.advance(10_000)
        desk.send(TalkReleased())
        desk.advance(2000)

    speak()
    office.publish(*(office.item(f"tin-{number}", 60_000 + number * 90_000) for number in range(20)))
    desk.advance(20 * 90_000 + 60_000)
    speak()
    assert [one.source for one in desk.reports(AsRun) if one.rung == Rung.MICROPHONE] == ["microphone"] * 2


def test_deleted_while_it_sounds_stays_sounding_on_the_screen(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 0))
    desk.advance(20_000)
    office.publish()
    desk.advance(120_000)
    assert finals(desk, "tin") == [Standing.CANCELLED]
    assert desk.reports(AsRun)[0].end_reason is EndReason.CANCELLED


def test_stop_that_ends_a_programme_stops_the_relay_for_good_too(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    office.publish(office.item("tiep-am", 0, content=Relay(97_100, 600_000, "A1B2")))
    desk.advance(10_000)
    office.stop(60_000)
    desk.advance(700_000)
    assert len([one for _, _, one in desk.sound.spans if isinstance(one, FmOutput)]) == 1
    assert finals(desk, "tiep-am") == [Standing.HEARD]


# Stop, alerts, sessions


def test_stop_at_the_panel_shortened_the_operators_stop(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 3_600_000))
    office.stop(4 * 3_600_000)
    desk.send(StopPressed())
    desk.advance(2 * 3_600_000)
    assert played(desk) == []


def test_obeyed_stop_is_shown_as_refused(desk: Desk, office: Office) -> None:
    stop = office.stop(60_000)
    office.give(stop, Route.HTTP)
    desk.cut_power(off_ms=1000)
    desk.boot()
    office.give(stop, Route.HTTP)
    assert refusals(desk) == []


def test_cancelled_alert_is_shown_as_refused(desk: Desk, office: Office) -> None:
    alert = office.alarm()
    envelope = office.sent[-1]
    desk.advance(10_000)
    office.cancel(alert)
    office.give(envelope, Route.HTTP)
    assert refusals(desk) == []
    assert [one.standing for one in desk.reports(Receipt) if one.document == envelope.digest][
        -1
    ] is Standing.CANCELLED


def test_emergency_that_ran_out_is_logged_as_cancelled(desk: Desk, office: Office) -> None:
    office.alarm(expires=WallMs(desk.wall + 60_000))
    desk.advance(120_000)
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.COMPLETE]


def test_stopped_drill_does_not_say_who_stopped_it(desk: Desk, office: Office) -> None:
    office.alarm(Kind.ALERT_DRILL)
    desk.advance(5_000)
    office.stop(60_000)
    desk.advance(1_000)
    record = desk.reports(AsRun)[0]
    assert (record.end_reason, record.stopped_by) == (EndReason.STOPPED, "31498")


def test_second_emergency_tells_the_first_once_more(desk: Desk, office: Office) -> None:
    office.alarm()
    first = office.sent[-1].digest
    desk.advance(10_000)
    office.alarm(severity=4)
    desk.advance(10_000)
    told = [one.standing for one in desk.reports(Receipt) if one.document == first]
    assert told == [Standing.RECEIVED, Standing.SOUNDING, Standing.HEARD]


def test_ordinary_session_announced_later_silences_the_priority_one(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    speak(desk, session.id, 0)
    other = office.live(SESSION_KEY, scope=IDENTITY.place, targets=(IDENTITY.place,), bulletin_class="ordinary")
    speak(desk, other.id, 0)
    speak(desk, session.id, 1)
    desk.advance(100)
    assert desk.sound.output.rung is Rung.LIVE_PRIORITY
    assert desk.sound.output.session_id == session.id  # type: ignore[union-attr]


def test_new_session_without_a_word_is_already_on_the_air(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    speak(desk, session.id, 0)
    office.live(SESSION_KEY)
    desk.advance(100)
    assert isinstance(desk.sound.output, Silence)


def test_start_of_the_next_reported_a_moment_early_is_no_loss(desk: Desk, office: Office) -> None:
    office.publish(office.item("dau", 10_000), office.item("sau", 70_000))
    desk.advance(69_990)
    key = desk.state.sound.output.key
    desk.send(SoundEnded(key, WallMs(desk.wall - 59_990), desk.wall, -1800, EndReason.SUPERSEDED))
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.COMPLETE]
    assert finals(desk, "dau") == [Standing.HEARD]


def test_same_recording_in_two_items_is_fetched_once(desk: Desk, office: Office) -> None:
    office.publish(office.item("a", 60_000, media=media("tin")), office.item("b", 600_000, media=media("tin")))
    assert len([one for one in desk.effects if isinstance(one, FetchMedia)]) == 1


def test_cancel_signed_twice_is_one(desk: Desk, office: Office) -> None:
    alert = office.alarm()
    office.cancel(alert)
    office.cancel(alert, issued=WallMs(alert.issued + 1))
    assert [one.standing for one in desk.reports(Receipt)].count(Standing.CANCELLED) == 1


def test_two_ends_on_a_full_disk_are_two_records(desk: Desk, office: Office) -> None:
    """A decision that could not be stored has told its record; the next one must not carry the same name."""
    office.publish(office.item("tin", 5000, duration_ms=120_000))
    desk.advance(10_000)
    output, before = desk.state.sound.output, desk.state
    desk.send(SoundEnded(output.key, desk.wall, desk.wall, -1800, EndReason.COMPLETE))
    desk.state = before
    desk.advance(1000)
    desk.send(SoundEnded(output.key, desk.wall, desk.wall, -1800, EndReason.COMPLETE))
    names = [one.id for one in desk.reports(AsRun)]
    assert len(names) == len(set(names)) == 2


def test_older_schedule_stays_out_when_the_registers_were_lost(desk: Desk, office: Office) -> None:
    """A card that lost the small state and kept the signed documents must not open the door to an older one."""
    old = sign_document(Kind.SCHEDULE, office.schedule(office.item("cu", 60_000)), COMMUNE_KEY)
    office.publish(office.item("moi", 60_000))
    desk.registers = b"{damaged"
    desk.cut_power(off_ms=100)
    desk.boot()
    office.give(old)
    assert refusals(desk) == [Refusal.OLDER_VERSION]
