"""Live sessions: verified, stalled, returned (behaviour.md, section 3)."""

from __future__ import annotations

from edge.core.effects import FeedLive
from edge.core.events import LiveSegmentReceived, SoundFailing, SoundRecovered
from edge.core.output import Rung, Silence
from protocol.audible_config import Fallback, Station, Window
from protocol.bulletin import BulletinClass
from protocol.clock import WallMs
from protocol.errors import Refusal
from protocol.live import LiveSegment, LiveSession
from protocol.report import Fault, FaultCode, Receipt, Standing
from simulators.desk import Desk
from tests.edge.core.office import Office, key
from tests.edge.core.test_ladder import SESSION_KEY, speak


def talk(desk: Desk, session: LiveSession, first: int, count: int) -> None:
    for counter in range(first, first + count):
        speak(desk, session.id, counter)
        desk.advance(200)


def fed(desk: Desk) -> list[int]:
    return [one.counter for one in desk.effects if isinstance(one, FeedLive)]


def test_segments_sound_while_they_flow(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 20)
    assert desk.sound.output.rung is Rung.LIVE_PRIORITY
    assert fed(desk) == list(range(20))


def test_stall_gives_way_within_two_seconds(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 5)
    desk.advance(2000)
    assert isinstance(desk.sound.output, Silence)
    assert FaultCode.LIVE_STALLED in [one.code for one in desk.reports(Fault)]


def test_returning_segments_do_not_flap(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 5)
    desk.advance(3000)
    speak(desk, session.id, 5)
    assert isinstance(desk.state.sound.output, Silence)
    talk(desk, session, 6, 60)
    assert desk.sound.output.rung is Rung.LIVE_PRIORITY


def test_stalled_session_falls_to_fm(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, None)
    office.configure(fm_stations=(Station(97_100, "Một"),), fm_windows=(Window(0, 86_400),), fallback=Fallback.FM)
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 5)
    desk.advance(5000)
    assert desk.sound.output.rung is Rung.FM_FALLBACK


def test_ordinary_session_stands_with_ordinary_programmes(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY, bulletin_class=BulletinClass.ORDINARY)
    talk(desk, session, 0, 5)
    assert desk.sound.output.rung is Rung.ORDINARY


def test_replayed_segment_is_not_fed(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 3)
    speak(desk, session.id, 1)
    assert fed(desk) == [0, 1, 2]


def test_segment_by_another_key_is_refused_once(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    speak(desk, session.id, 0, key("thief"))
    speak(desk, session.id, 1, key("thief"))
    assert isinstance(desk.state.sound.output, Silence)
    refused = [one for one in desk.reports(Receipt) if one.standing is Standing.REFUSED]
    assert [one.refusal for one in refused] == [Refusal.BAD_SIGNATURE]


def test_segment_of_another_session_is_refused(desk: Desk, office: Office) -> None:
    office.live(SESSION_KEY)
    speak(desk, "0" * 32, 0)
    assert fed(desk) == []


def test_segment_without_a_session_is_ignored(desk: Desk, office: Office) -> None:
    desk.send(LiveSegmentReceived(b"anything"))
    assert isinstance(desk.state.sound.output, Silence)


def test_empty_segment_ends_the_session(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 3)
    bare = LiveSegment(session.id, 3, 1, b"", b"")
    desk.send(LiveSegmentReceived(LiveSegment(session.id, 3, 1, b"", SESSION_KEY.sign(bare.signed_bytes())).pack()))
    desk.advance(100)
    assert desk.sound.output.rung is Rung.LIVE_PRIORITY, "the last words are not cut"
    desk.advance(2000)
    assert isinstance(desk.sound.output, Silence)
    assert FaultCode.LIVE_STALLED not in [one.code for one in desk.reports(Fault)]


def test_session_ends_at_its_time(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY, expires=WallMs(desk.wall + 2000))
    talk(desk, session, 0, 20)
    assert isinstance(desk.sound.output, Silence)
    assert desk.state.lives == {}


def test_gap_shorter_than_what_is_held_did_not_happen(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 5)
    began = desk.sound.began
    desk.advance(1300)
    assert FaultCode.LIVE_STALLED in [one.code for one in desk.reports(Fault)]
    desk.go_on()
    talk(desk, session, 5, 5)
    assert desk.state.lives[session.id].flowing
    assert (desk.sound.began, desk.sound.spans) == (began, [])


def test_programme_follows_before_what_is_held_runs_out(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 0, duration_ms=120_000))
    desk.advance(1000)
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 5)
    last = desk.wall - 200
    desk.advance(3000)
    (_, _, _), (_, end, live) = desk.sound.spans
    assert live.rung is Rung.LIVE_PRIORITY and end < last + 2000
    assert desk.sound.output.rung is Rung.ORDINARY and desk.sound.began == end


def test_goodbye_that_runs_dry_is_no_failure(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 0, duration_ms=120_000))
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 3)
    bare = LiveSegment(session.id, 3, 1, b"", b"")
    desk.send(LiveSegmentReceived(LiveSegment(session.id, 3, 1, b"", SESSION_KEY.sign(bare.signed_bytes())).pack()))
    key_of = desk.sound.output.key
    desk.send(SoundFailing(key_of))
    desk.send(SoundRecovered(key_of))
    assert desk.state.sound.output.key == key_of, "its last words are heard"
    desk.advance(2500)
    assert desk.sound.output.rung is Rung.ORDINARY
    assert not {FaultCode.LIVE_STALLED, FaultCode.PLAYER_FAILED} & {one.code for one in desk.reports(Fault)}


def test_session_that_was_withdrawn_is_not_held(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY, expires=WallMs(desk.wall + 1500))
    talk(desk, session, 0, 2)
    desk.advance(1050)
    key_of = desk.sound.output.key
    desk.send(SoundFailing(key_of))
    desk.advance(100)
    assert isinstance(desk.sound.output, Silence)
