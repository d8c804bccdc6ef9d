"""Every row of the ladder, against every row below it (behaviour.md, section 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edge.core.events import LiveSegmentReceived, StopPressed, TalkPressed, TalkReleased
from edge.core.output import AlertOutput, ProgrammeOutput, Rung, Silence
from protocol.alert import Part
from protocol.audible_config import Fallback, Station, Window
from protocol.bulletin import BulletinClass, Explicit
from protocol.clock import WallMs, local_second
from protocol.document import Kind
from protocol.keys import SigningKey
from protocol.live import LiveSegment
from protocol.report import AsRun, EndReason, Fault, FaultCode, Receipt, Standing
from protocol.schedule import Relay
from simulators.desk import Desk
from tests.edge.core.office import COMMUNE, OTHER_COMMUNE, PROVINCE, Office, key, media

STATION = Station(97_100, "Cần Thơ", "A1B2")
ALL_DAY = Window(0, 86_400)
SESSION_KEY = key("session")


def spoken(session_id: str, counter: int, signer: SigningKey = SESSION_KEY) -> LiveSegmentReceived:
    sound = b"\x00\x02\xf8\xff"
    bare = LiveSegment(session_id, counter, 200, sound, b"")
    signed = LiveSegment(session_id, counter, 200, sound, signer.sign(bare.signed_bytes()))
    return LiveSegmentReceived(signed.pack())


def speak(desk: Desk, session_id: str, counter: int, signer: SigningKey = SESSION_KEY) -> None:
    desk.send(spoken(session_id, counter, signer))


def emergency_microphone(desk: Desk, office: Office) -> None:
    desk.send(TalkPressed(True))


def emergency(desk: Desk, office: Office) -> None:
    office.alarm()


def microphone(desk: Desk, office: Office) -> None:
    desk.send(TalkPressed(False))


def live_priority(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    speak(desk, session.id, 0)
    for counter in range(1, 10):
        desk.later(counter * 400, spoken(session.id, counter))


def priority(desk: Desk, office: Office) -> None:
    office.publish(
        office.item("uu-tien", 0, bulletin_class=BulletinClass.PRIORITY, duration_ms=600_000), scope=PROVINCE
    )


def ordinary(desk: Desk, office: Office) -> None:
    office.publish(office.item("thuong", 0, duration_ms=600_000))


def relay(desk: Desk, office: Office) -> None:
    office.publish(office.item("tiep-am", 0, content=Relay(97_100, 600_000, "A1B2")))


def fallback(desk: Desk, office: Office) -> None:
    office.publish(office.item("mat", 0, media=media("never", 600_000)))


ROWS: list[tuple[Rung, Callable[[Desk, Office], None]]] = [
    (Rung.EMERGENCY_MICROPHONE, emergency_microphone),
    (Rung.EMERGENCY, emergency),
    (Rung.MICROPHONE, microphone),
    (Rung.LIVE_PRIORITY, live_priority),
    (Rung.PRIORITY, priority),
    (Rung.ORDINARY, ordinary),
    (Rung.FM_SLOT, relay),
    (Rung.FM_FALLBACK, fallback),
]


def prepare(desk: Desk, office: Office, **config: Any) -> None:
    desk.signals[97_100] = (50, "A1B2")
    desk.reachable = frozenset({media("uu-tien", 600_000).digest, media("thuong", 600_000).digest})
    office.configure(fm_stations=(STATION,), fm_windows=(ALL_DAY,), fallback=Fallback.FM, **config)


@pytest.mark.parametrize(("rung", "start"), ROWS)
def test_row_sounds(desk: Desk, office: Office, rung: Rung, start: Callable[[Desk, Office], None]) -> None:
    prepare(desk, office)
    start(desk, office)
    desk.advance(1900)
    assert desk.state.sound.output.rung is rung
    assert desk.sound.output.rung is rung


@pytest.mark.parametrize("above", range(len(ROWS)))
@pytest.mark.parametrize("below", range(len(ROWS)))
def test_higher_row_wins(desk: Desk, office: Office, above: int, below: int) -> None:
    both_talk = {above, below} <= {0, 2}
    both_scheduled = {above, below} <= {5, 6, 7}
    if above >= below or both_talk or both_scheduled:
        return
    prepare(desk, office)
    ROWS[below][1](desk, office)
    desk.advance(2500)
    ROWS[above][1](desk, office)
    desk.advance(1900)
    assert desk.state.sound.output.rung is ROWS[above][0]


@pytest.mark.parametrize(("rung", "start"), ROWS)
def test_row_in_quiet_hours(desk: Desk, office: Office, rung: Rung, start: Callable[[Desk, Office], None]) -> None:
    prepare(desk, office, quiet_hours=(ALL_DAY,))
    start(desk, office)
    desk.advance(2500)
    allowed = rung <= Rung.MICROPHONE
    assert desk.state.sound.output.rung is (rung if allowed else Rung.SILENCE)


def test_microphone_in_quiet_hours_by_policy(desk: Desk, office: Office) -> None:
    prepare(desk, office, quiet_hours=(ALL_DAY,), microphone_in_quiet_hours=False)
    desk.send(TalkPressed(False))
    assert isinstance(desk.state.sound.output, Silence)
    desk.send(TalkReleased())
    desk.send(TalkPressed(True))
    assert desk.state.sound.output.rung is Rung.EMERGENCY_MICROPHONE


@pytest.mark.parametrize(("rung", "start"), ROWS)
def test_row_without_a_clock(office: Office, rung: Rung, start: Callable[[Desk, Office], None]) -> None:
    desk = office.desk
    prepare(desk, office)
    desk.cut_power(off_ms=1000)
    desk.boot(clock=False)
    start(desk, office)
    desk.advance(2500)
    by_hand = rung in (Rung.EMERGENCY_MICROPHONE, Rung.MICROPHONE)
    assert desk.state.sound.output.rung is (rung if by_hand else Rung.SILENCE)


@pytest.mark.parametrize(("rung", "start"), ROWS)
def test_stop_silences_rungs_4_to_8(
    desk: Desk, office: Office, rung: Rung, start: Callable[[Desk, Office], None]
) -> None:
    prepare(desk, office)
    start(desk, office)
    desk.advance(1900)
    office.stop(120_000)
    assert desk.state.sound.output.rung is (rung if rung <= Rung.MICROPHONE else Rung.SILENCE)


def test_stopped_programme_is_logged_with_who(desk: Desk, office: Office) -> None:
    ordinary(desk, office)
    desk.advance(10_000)
    office.stop(60_000)
    desk.advance(100)
    record = desk.reports(AsRun)[0]
    assert (record.end_reason, record.stopped_by) == (EndReason.STOPPED, "31498")
    desk.advance(120_000)
    assert isinstance(desk.sound.output, Silence)


def test_stop_at_the_device_holds_for_a_while(desk: Desk, office: Office) -> None:
    ordinary(desk, office)
    desk.advance(10_000)
    desk.send(StopPressed())
    desk.advance(100)
    assert isinstance(desk.sound.output, Silence)
    assert desk.reports(AsRun)[0].stopped_by == "panel"
    desk.advance(16 * 60_000)
    office.publish(office.item("sau", 5000))
    desk.advance(20_000)
    assert isinstance(desk.sound.output, ProgrammeOutput)


def test_stop_made_under_a_wrong_clock_ends_with_it(desk: Desk, office: Office) -> None:
    desk.offset += 400 * 86_400_000
    desk.cut_power(off_ms=0)
    desk.boot(clock=False)
    desk.send(StopPressed())
    desk.offset -= 400 * 86_400_000
    desk.believe()
    desk.advance(10)
    assert desk.state.stop is None


def test_quiet_hours_end_a_running_programme(desk: Desk, office: Office) -> None:
    second = local_second(desk.wall)
    office.configure(quiet_hours=(Window(second + 30, second + 3600),))
    ordinary(desk, office)
    desk.advance(60_000)
    assert isinstance(desk.sound.output, Silence)
    begin, end, _ = desk.sound.spans[0]
    assert end - begin <= 30_000


def test_safe_quiet_hours_without_any_configuration(desk: Desk, office: Office) -> None:
    desk.advance(12 * 3_600_000)
    office.publish(office.item("dem", 10_000))
    desk.advance(60_000)
    assert desk.sound.spans == []


def test_emergency_goes_on_until_cancelled(desk: Desk, office: Office) -> None:
    alert = office.alarm()
    desk.advance(120_000)
    assert desk.sound.output.rung is Rung.EMERGENCY
    office.cancel(alert)
    desk.advance(100)
    assert isinstance(desk.sound.output, Silence)
    standings = [one.standing for one in desk.reports(Receipt)]
    for standing in (Standing.SOUNDING, Standing.HEARD, Standing.CANCELLED):
        assert standing in standings
    assert desk.reports(AsRun)[0].end_reason is EndReason.CANCELLED


def test_emergency_ends_by_itself(desk: Desk, office: Office) -> None:
    office.alarm()
    desk.advance(700_000)
    assert isinstance(desk.sound.output, Silence)
    assert not any(name.startswith("alert") for name in desk.stored)


def test_emergency_resumes_after_power_cut(desk: Desk, office: Office) -> None:
    office.alarm()
    desk.advance(10_000)
    desk.cut_power(off_ms=5000)
    desk.boot()
    desk.advance(1000)
    assert desk.sound.output.rung is Rung.EMERGENCY


def test_two_emergencies_are_told_in_turn(desk: Desk, office: Office) -> None:
    low = office.alarm(severity=2, parts=(Part("vi", "Mưa lớn."),))
    desk.advance(3000)
    office.alarm(severity=4, parts=(Part("vi", "Vỡ đê."),))
    desk.advance(3000)
    output = desk.sound.output
    assert isinstance(output, AlertOutput)
    assert [part.text for part in output.parts] == ["Vỡ đê.", "Mưa lớn."]
    office.alarm(severity=4, parts=(Part("vi", "Sơ tán."),))
    assert [part.text for part in desk.state.sound.output.parts][:2] == ["Sơ tán.", "Vỡ đê."]  # type: ignore[union-attr]
    office.cancel(low)
    assert len(desk.state.sound.output.parts) == 2  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [Kind.ALERT_DRILL, Kind.ALERT_TEST])
def test_drill_respects_quiet_hours_and_priority(desk: Desk, office: Office, kind: Kind) -> None:
    office.alarm(kind)
    desk.advance(1000)
    assert desk.sound.output.rung is Rung.PRIORITY
    office.configure(quiet_hours=(ALL_DAY,))
    assert isinstance(desk.state.sound.output, Silence)


def test_alert_for_another_commune_is_ignored(desk: Desk, office: Office) -> None:
    from edge.core.events import Route
    from tests.edge.core.office import PROVINCE_KEYS, sign_document

    alert = office.alert(scope=PROVINCE, targets=(OTHER_COMMUNE,))
    before = len(desk.reports(Receipt))
    office.give(sign_document(Kind.ALERT, alert, *PROVINCE_KEYS), Route.ALERT)
    assert isinstance(desk.state.sound.output, Silence)
    assert len(desk.reports(Receipt)) == before


def test_alert_fetches_its_recording_first(desk: Desk, office: Office) -> None:
    from edge.core.effects import FetchMedia

    office.alarm(parts=(Part("vi", "Lũ.", media("lu")),))
    assert [one for one in desk.effects if isinstance(one, FetchMedia)] == [FetchMedia(media("lu"), True)]


def test_stuck_talk_button_ends_with_a_fault(desk: Desk, office: Office) -> None:
    office.configure(talk_ms_max=10_000)
    desk.send(TalkPressed(False))
    desk.advance(11_000)
    assert isinstance(desk.sound.output, Silence)
    assert FaultCode.TALK_STUCK in [one.code for one in desk.reports(Fault)]
    desk.send(TalkPressed(False))
    assert isinstance(desk.state.sound.output, Silence)
    desk.send(TalkReleased())
    desk.send(TalkPressed(False))
    assert desk.state.sound.output.rung is Rung.MICROPHONE


def test_microphone_during_alert_is_below_it(desk: Desk, office: Office) -> None:
    office.alarm()
    desk.advance(1000)
    desk.send(TalkPressed(False))
    assert desk.state.sound.output.rung is Rung.EMERGENCY
    desk.send(TalkReleased())
    desk.send(TalkPressed(True))
    desk.advance(1000)
    desk.send(TalkReleased())
    desk.advance(1000)
    assert desk.sound.output.rung is Rung.EMERGENCY
    reasons = [one.end_reason for one in desk.reports(AsRun)]
    assert EndReason.INTERRUPTED in reasons


def test_planned_programme_gives_way_to_talk(desk: Desk, office: Office) -> None:
    start = desk.wall + 10_000
    office.publish(office.item("tin", 10_000))
    desk.advance(8000)
    desk.send(TalkPressed(False))
    desk.advance(4000)
    desk.send(TalkReleased())
    desk.advance(60_000)
    spans = [(begin, end) for begin, end, out in desk.sound.spans if isinstance(out, ProgrammeOutput)]
    assert spans == [(start + 2000, start + 60_000)]


def test_expired_schedule_stops_and_fm_stands_in(desk: Desk, office: Office) -> None:
    prepare(desk, office)
    item = office.item("thuong", 0, duration_ms=600_000)
    office.publish(item, expires=WallMs(desk.wall + 60_000))
    desk.advance(30_000)
    rungs = [desk.sound.output.rung]
    desk.advance(40_000)
    rungs.append(desk.sound.output.rung)
    assert rungs == [Rung.ORDINARY, Rung.FM_FALLBACK]
    assert FaultCode.SCHEDULE_EXPIRED in [one.code for one in desk.reports(Fault)]


def test_without_fresh_head_programmes_stop(desk: Desk, office: Office) -> None:
    office.configure(head_age_ms_max=60_000)
    office.publish(office.item("thuong", 30_000, duration_ms=600_000))
    desk.advance(50_000)
    assert desk.sound.output.rung is Rung.ORDINARY
    desk.advance(20_000)
    assert isinstance(desk.sound.output, Silence)
    assert FaultCode.HEAD_STALE in [one.code for one in desk.reports(Fault)]
    office.head()
    desk.advance(1000)
    assert desk.sound.output.rung is Rung.ORDINARY


def test_explicit_start_of_unit_itself(desk: Desk, office: Office) -> None:
    when = Explicit((WallMs(desk.wall + 5000),))
    office.publish(office.item("tin", 0, when=when, targets=(desk.identity.place,)))
    desk.advance(6000)
    assert desk.sound.output.rung is Rung.ORDINARY
    assert desk.identity.home == COMMUNE
