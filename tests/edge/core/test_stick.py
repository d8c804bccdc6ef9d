"""A stick stores through the same verifier, and never speaks at once."""

from __future__ import annotations

from edge.core.events import ParcelReceived, Route
from edge.core.output import AlertOutput, ProgrammeOutput, Silence
from protocol.alert import Cancel
from protocol.bulletin import BulletinClass
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import Refusal
from protocol.live import LiveSession
from protocol.parcel import pack_parcel
from protocol.report import Receipt, Standing
from simulators.desk import Desk
from tests.edge.core.office import COMMUNE, COMMUNE_KEY, IDENTITY, Office, key, sign_document


def put_in(desk: Desk, *envelopes: Envelope) -> None:
    desk.send(ParcelReceived(pack_parcel(COMMUNE, envelopes), Route.USB))


def refusals(desk: Desk) -> list[Refusal | None]:
    return [one.refusal for one in desk.reports(Receipt) if one.standing is Standing.REFUSED]


def test_schedule_of_a_stick_sounds_at_its_time(desk: Desk, office: Office) -> None:
    put_in(desk, sign_document(Kind.SCHEDULE, office.schedule(office.item("tin", 10_000)), COMMUNE_KEY))
    assert isinstance(desk.state.sound.output, Silence)
    desk.advance(15_000)
    assert isinstance(desk.sound.output, ProgrammeOutput)


def test_alert_of_a_stick_does_not_sound(desk: Desk, office: Office) -> None:
    for kind in (Kind.ALERT, Kind.ALERT_DRILL, Kind.ALERT_TEST):
        put_in(desk, sign_document(kind, office.alert(), COMMUNE_KEY))
    desk.advance(5_000)
    assert desk.sound.spans == []
    assert refusals(desk) == [Refusal.NOT_BY_STICK] * 3


def test_the_same_alert_by_network_sounds_all_the_same(desk: Desk, office: Office) -> None:
    envelope = sign_document(Kind.ALERT, office.alert(), COMMUNE_KEY)
    put_in(desk, envelope)
    office.give(envelope, Route.ALERT)
    assert isinstance(desk.state.sound.output, AlertOutput)


def test_alert_of_a_stick_does_not_sound_after_a_restart(desk: Desk, office: Office) -> None:
    put_in(desk, sign_document(Kind.ALERT, office.alert(), COMMUNE_KEY))
    desk.cut_power(off_ms=1000)
    desk.boot()
    desk.advance(5_000)
    assert desk.sound.spans == []


def test_alert_that_waited_for_the_clock_does_not_sound() -> None:
    desk = Desk(IDENTITY)
    desk.boot(clock=False)
    office = Office(desk)
    office.give_grants()
    put_in(desk, sign_document(Kind.ALERT, office.alert(), COMMUNE_KEY))
    desk.believe()
    desk.advance(5_000)
    assert desk.sound.spans == []
    assert refusals(desk) == [Refusal.NOT_BY_STICK]


def test_live_session_of_a_stick_is_refused(desk: Desk, office: Office) -> None:
    wall = desk.wall
    session = LiveSession(
        scope=COMMUNE,
        id="0" * 32,
        sequence=1,
        issued=wall,
        expires=WallMs(wall + 60_000),
        bulletin_class=BulletinClass.PRIORITY,
        key=key("session").public,
        targets=(COMMUNE,),
    )
    put_in(desk, sign_document(Kind.LIVE_SESSION, session, COMMUNE_KEY))
    assert refusals(desk) == [Refusal.NOT_BY_STICK]


def test_cancel_of_a_stick_silences(desk: Desk, office: Office) -> None:
    alert = office.alarm()
    assert isinstance(desk.state.sound.output, AlertOutput)
    cancel = Cancel(COMMUNE, alert.id, alert.issued, alert.expires, alert.targets)
    put_in(desk, sign_document(Kind.CANCEL, cancel, COMMUNE_KEY))
    assert isinstance(desk.state.sound.output, Silence)


def test_stick_is_told_at_the_office(desk: Desk, office: Office) -> None:
    good = sign_document(Kind.SCHEDULE, office.schedule(), COMMUNE_KEY)
    bad = sign_document(Kind.SCHEDULE, office.schedule(), key("stranger"))
    put_in(desk, *office.sent, good, bad)
    told = desk.reports(Receipt)[-1]
    assert (told.kind, told.standing) == ("bundle", Standing.RECEIVED)
    assert told.detail == "usb: 5 documents, 1 new, 1 refused"
