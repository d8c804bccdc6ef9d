"""What users of neighbouring products complain about, as far as the core answers it (pains.md)."""

from __future__ import annotations

import pytest

from edge.core.effects import FetchMedia, SaveState, SwitchOutput
from edge.core.events import LinkChanged, MediaStored, TalkPressed, TalkReleased
from edge.core.output import FmOutput, Rung, Silence
from protocol.audible_config import Fallback, Station, Window
from protocol.bulletin import BulletinClass, CatchUp
from protocol.clock import local_second
from protocol.document import Kind
from protocol.report import AsRun, Fault, FaultCode, Receipt, Standing, Status
from simulators.desk import Desk
from tests.edge.core.office import PROVINCE, Office, media
from tests.edge.core.test_programme import played, standings

STATION = Station(97_100, "Cần Thơ", "A1B2")
ALL_DAY = Window(0, 86_400)


def fm_instead(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    office.configure(fm_stations=(STATION,), fm_windows=(ALL_DAY,), fallback=Fallback.FM)


def test_source_that_dies_leaves_no_silence(desk: Desk, office: Office) -> None:
    """Pain 1: after three breaks FM stands in, within seconds."""
    fm_instead(desk, office)
    office.publish(office.item("tin", 5_000, duration_ms=600_000))
    desk.advance(10_000)
    for _ in range(3):
        desk.break_source()
        desk.advance(1_200)
    desk.advance(3_000)
    assert desk.sound.output.rung is Rung.FM_FALLBACK


def test_status_is_not_green_while_silent(desk: Desk, office: Office) -> None:
    """Pain 2: a programme that is not measured is a fault in the next status."""
    desk.send(LinkChanged(True))
    desk.sound.level_cdb = -12_000
    office.publish(office.item("tin", 5_000, duration_ms=120_000))
    desk.advance(13_000)
    assert FaultCode.SOUND_MISSING in desk.reports(Status)[-1].faults


def test_nothing_at_three_in_the_morning(desk: Desk, office: Office) -> None:
    """Pain 3: quiet hours are kept on the device, whatever the schedule says."""
    office.publish(office.item("dem", 17 * 3_600_000, bulletin_class=BulletinClass.PRIORITY))
    desk.advance(18 * 3_600_000)
    assert desk.sound.spans == []
    assert standings(desk, "dem")[-1] is Standing.UNHEARD


def test_foreign_station_never_leaves_the_horn(desk: Desk, office: Office) -> None:
    """Pain 4: neither at the start nor when it takes over the frequency."""
    fm_instead(desk, office)
    desk.signals[97_100] = (60, "C0DE")
    office.publish(office.item("mat", 5_000, media=media("mat", 600_000)))
    desk.reachable = frozenset()
    desk.cut_power(off_ms=0)
    desk.media.clear()
    desk.boot()
    desk.advance(60_000)
    assert not any(isinstance(one, FmOutput) for _, _, one in desk.sound.spans)


def test_clock_that_comes_late_does_not_replay_the_morning(desk: Desk, office: Office) -> None:
    """Pain 5: what ended while no clock was believed stays ended."""
    office.publish(office.item("sang", 10_000), office.item("sau", 600_000))
    desk.advance(1_000)
    desk.cut_power(off_ms=1_000)
    desk.boot(clock=False)
    desk.advance(300_000)
    desk.believe()
    desk.advance(600_000)
    assert [name for name, _, _ in played(desk)] == ["sau"]


@pytest.mark.parametrize("step_ms", [-3_600_000, -50_000, 50_000, 3_600_000])
def test_clock_step_while_it_plays_starts_nothing_twice(desk: Desk, office: Office, step_ms: int) -> None:
    """Pain 6: the system clock jumps in the middle of a programme."""
    office.publish(office.item("tin", 10_000, duration_ms=120_000))
    desk.advance(40_000)
    desk.offset += step_ms
    desk.advance(400_000)
    assert len(played(desk)) == 1
    assert standings(desk, "tin")[-1] is Standing.HEARD


@pytest.mark.parametrize("policy", list(CatchUp))
@pytest.mark.parametrize("at_s", [6, 8, 9, 10, 11, 40, 99, 129, 130, 131, 140])
def test_power_cut_at_any_moment(desk: Desk, office: Office, at_s: int, policy: CatchUp) -> None:
    """Pain 7: whenever it comes, the programme is told once and no part of it sounds twice."""
    start = desk.wall + 10_000
    office.publish(office.item("tin", 10_000, duration_ms=120_000, catch_up=policy))
    desk.advance(at_s * 1000)
    desk.cut_power(off_ms=1_500)
    desk.boot()
    desk.advance(500_000)
    told = [one for one in standings(desk, "tin") if one in (Standing.HEARD, Standing.UNHEARD)]
    assert len(told) == 1
    whole = [(begin, end) for _, begin, end in played(desk) if end - begin >= 120_000]
    assert len(whole) <= 1
    assert all(begin >= start for _, begin, _ in played(desk))


def test_boots_and_plays_without_any_network(desk: Desk, office: Office) -> None:
    """Pains 9 and 10: weeks without a controller change nothing."""
    office.publish(office.item("tin", 86_400_000))
    desk.advance(60_000)
    desk.reachable = frozenset()
    desk.send(LinkChanged(False))
    desk.cut_power(off_ms=20 * 3_600_000)
    desk.boot()
    desk.advance(6 * 3_600_000)
    assert [name for name, _, _ in played(desk)] == ["tin"]


def test_deleted_schedule_is_gone_and_the_status_says_which_is_in_force(desk: Desk, office: Office) -> None:
    """Pain 14: the digest in force is reported, and what is deleted is silent at once."""
    desk.send(LinkChanged(True))
    office.publish(office.item("tin", 0))
    desk.advance(5_000)
    newest = office.publish()
    desk.advance(1_000)
    assert isinstance(desk.sound.output, Silence)
    assert [one.digest for one in desk.reports(Status)[-1].in_force] == [newest.digest]


def test_urgent_recording_is_asked_for_before_the_bulk(desk: Desk, office: Office) -> None:
    """Pain 15: an alert's recording is urgent although it was wanted by a schedule before."""
    desk.reachable = frozenset()
    office.publish(office.item("tin", 600_000))
    from protocol.alert import Part

    office.alarm(parts=(Part("vi", "Lũ.", media("tin")),))
    assert [one.urgent for one in desk.effects if isinstance(one, FetchMedia)] == [False, True]


def test_quiet_day_writes_little(desk: Desk, office: Office) -> None:
    """Pain 18: an hour with nothing to do writes nothing; a programme costs a few small writes."""
    office.publish(office.item("tin", 7_200_000))
    desk.advance(60_000)
    desk.effects.clear()
    desk.advance(3_600_000)
    assert not any(isinstance(one, SaveState) for one in desk.effects)
    desk.advance(2 * 3_600_000)
    saves = [one for one in desk.effects if isinstance(one, SaveState)]
    assert len(saves) <= 4 and sum(len(one.registers) for one in saves) < 8_000


def test_drill_never_sounds_as_an_emergency(desk: Desk, office: Office) -> None:
    """Pain 20: a drill stands below the microphone, in the hours of programmes, under its own kind."""
    office.alarm(Kind.ALERT_DRILL)
    desk.advance(1_000)
    assert desk.sound.output.rung is Rung.PRIORITY
    assert {one.kind for one in desk.reports(Receipt) if one.standing is Standing.SOUNDING} == {"alert-drill"}


def test_no_blip_of_fm_between_two_programmes(desk: Desk, office: Office) -> None:
    """Pain 21: with FM wanted wherever a programme is missing, nothing of it is heard between two that are there."""
    fm_instead(desk, office)
    office.publish(*(office.item(f"tin-{number}", 10_000 + number * 60_000) for number in range(4)))
    desk.advance(260_000)
    assert [one.rung for _, _, one in desk.sound.spans] == [Rung.ORDINARY] * 4
    assert all(
        end == begin for (_, end, _), (begin, _, _) in zip(desk.sound.spans, desk.sound.spans[1:], strict=False)
    )


def test_media_that_flickers_does_not_flap(desk: Desk, office: Office) -> None:
    """Pain 21: FM once, then the programme, and no way back."""
    fm_instead(desk, office)
    desk.reachable = frozenset()
    office.publish(office.item("tin", 5_000, duration_ms=300_000))
    desk.advance(30_000)
    desk.send(MediaStored(media("tin").digest))
    desk.advance(60_000)
    rungs = [one.rung for _, _, one in desk.sound.spans] + [desk.sound.output.rung]
    assert rungs == [Rung.FM_FALLBACK, Rung.ORDINARY]


def test_clash_refuses_nobody(desk: Desk, office: Office) -> None:
    """Pain 23: a later programme of the same hour waits its turn; a priority one goes first."""
    office.publish(office.item("a", 10_000), office.item("b", 30_000))
    office.publish(
        office.item("c", 40_000, bulletin_class=BulletinClass.PRIORITY, duration_ms=20_000), scope=PROVINCE
    )
    desk.advance(300_000)
    assert {name for name, _, _ in played(desk)} == {"a", "b", "c"}
    assert not any(one.code is FaultCode.MEDIA_MISSING for one in desk.reports(Fault))


def test_music_goes_on_after_each_announcement(desk: Desk, office: Office) -> None:
    """Pain 24: talk, talk again: each time the programme comes back at the wall clock."""
    start = desk.wall + 10_000
    office.publish(office.item("nhac", 10_000, duration_ms=300_000))
    for _ in range(3):
        desk.advance(40_000)
        desk.send(TalkPressed(False))
        desk.advance(5_000)
        desk.send(TalkReleased())
    desk.advance(300_000)
    switches = [one for one in desk.effects if isinstance(one, SwitchOutput)]
    assert len(switches) >= 7
    assert played(desk)[-1][2] == start + 300_000
    assert len(played(desk)) == 4


def test_window_across_midnight_and_programme_across_it(desk: Desk, office: Office) -> None:
    """Pain 3: a programme that runs into quiet hours is cut at their second, also across midnight."""
    office.configure(quiet_hours=(Window(300, 18_000),))
    to_midnight_ms = (86_400 - local_second(desk.wall)) * 1000
    start = desk.wall + to_midnight_ms - 300_000
    office.publish(office.item("khuya", to_midnight_ms - 300_000, duration_ms=1_200_000))
    desk.advance(to_midnight_ms + 3_600_000)
    assert played(desk) == [("khuya", start, start + 600_000)]


def test_log_tells_the_believed_time_although_the_system_clock_is_wrong(desk: Desk, office: Office) -> None:
    """Pain 5: a box with a dead clock, corrected by its sources, logs the hour of the village."""
    office.publish(office.item("tin", 10_000))
    start = desk.wall + 10_000
    desk.offset -= 20 * 365 * 86_400_000
    desk.advance(100_000)
    record = desk.reports(AsRun)[0]
    assert (record.began, record.ended) == (start, start + 60_000)
