"""The clock: none, attested, agreed; the hour is never guessed (behaviour.md, section 5)."""

from __future__ import annotations

import pytest

from edge.core import clock_trust, fm_gate
from edge.core.effects import AskAttestation
from edge.core.events import AttestationReceived, ClockRead, ClockSource, LinkChanged
from edge.core.output import Rung, Silence
from protocol.audible_config import Station
from protocol.clock import ClockTrust, MonoMs, WallMs
from protocol.document import Kind
from protocol.report import Fault, FaultCode, Status
from simulators.desk import Desk
from tests.edge.core.office import COMMUNE_KEY, Office, attestation, sign_document

NONCE = "0123456789abcdef" * 2


def trust(desk: Desk) -> ClockTrust:
    return clock_trust.believed(desk.state.clock, desk.now()).clock


@pytest.fixture
def lost(desk: Desk, office: Office) -> Desk:
    """A device whose clock nobody vouches for."""
    desk.cut_power(off_ms=0)
    desk.boot(clock=False)
    return desk


def test_one_source_is_not_enough(lost: Desk) -> None:
    lost.send(ClockRead(ClockSource.NTP, lost.wall))
    assert trust(lost) is ClockTrust.NONE


def test_two_agreeing_sources_are_enough(lost: Desk) -> None:
    lost.send(ClockRead(ClockSource.NTP, lost.wall))
    lost.send(ClockRead(ClockSource.RTC, WallMs(lost.wall + 59_000)))
    assert trust(lost) is ClockTrust.AGREED


def test_readings_that_waited_for_a_slow_card_tell_the_hour_of_their_reading(lost: Desk) -> None:
    """Taken as of now they agreed with each other on an hour that was late by as long as they had waited."""
    read, wall = lost.now().mono, lost.wall
    lost.advance(50_000)
    lost.send(ClockRead(ClockSource.NTP, wall, read))
    lost.advance(50_000)
    lost.send(ClockRead(ClockSource.RTC, wall, read))
    assert trust(lost) is ClockTrust.AGREED
    assert clock_trust.believed(lost.state.clock, lost.now()).wall == lost.wall
    assert lost.state.clock.agreed == wall - read


def test_two_sources_that_disagree_are_not(lost: Desk) -> None:
    lost.send(ClockRead(ClockSource.NTP, lost.wall))
    lost.send(ClockRead(ClockSource.RTC, WallMs(lost.wall + 61_000)))
    assert trust(lost) is ClockTrust.NONE


def test_third_source_outvotes_a_dead_one(lost: Desk) -> None:
    lost.send(ClockRead(ClockSource.RTC, WallMs(946_684_800_000)))
    lost.send(ClockRead(ClockSource.NTP, lost.wall))
    lost.send(ClockRead(ClockSource.RDS, lost.wall))
    assert trust(lost) is ClockTrust.AGREED


def test_stations_are_listened_to_in_turn_until_one_tells_the_hour(desk: Desk, office: Office) -> None:
    """A power cut without a network: the chip alone is one source, and the village stayed silent for days."""
    stations = (Station(97_100, "Một", "A1B2"), Station(99_900, "Ai"), Station(102_300, "Hai", "C3D4"))
    desk.signals = {97_100: (50, "A1B2"), 99_900: (50, None), 102_300: (50, "C3D4")}
    office.configure(fm_stations=stations)
    office.publish(office.item("tin", 3_600_000))
    desk.cut_power(off_ms=60_000)
    desk.boot(clock=False)
    desk.send(ClockRead(ClockSource.RTC, desk.wall))
    heard = set()
    for _ in range(3):
        desk.advance(fm_gate.HOUR_TELLING_MS)
        heard.add(desk.monitored)
    assert heard == {97_100, 102_300}, "who has no signed name might be anybody"
    assert trust(desk) is ClockTrust.NONE and desk.sound.spans == []
    desk.send(ClockRead(ClockSource.RDS, WallMs(desk.wall + 200)))
    assert desk.monitored is None
    desk.advance(3_600_000)
    assert [one.rung for _, _, one in desk.sound.spans] == [Rung.ORDINARY]


def test_without_stations_nobody_is_listened_to(lost: Desk) -> None:
    lost.send(ClockRead(ClockSource.RTC, lost.wall))
    lost.advance(60_000)
    assert lost.monitored is None


def test_controller_is_no_independent_source(lost: Desk) -> None:
    lost.send(ClockRead(ClockSource.NTP, lost.wall))
    lost.send(ClockRead(ClockSource.CONTROLLER, lost.wall))
    assert trust(lost) is ClockTrust.NONE


def test_wrong_system_clock_is_corrected(lost: Desk) -> None:
    real = lost.wall
    lost.offset -= 86_400_000
    lost.send(ClockRead(ClockSource.NTP, real))
    lost.send(ClockRead(ClockSource.RDS, real))
    assert clock_trust.believed(lost.state.clock, lost.now()).wall == real


def test_attestation_answers_the_nonce(lost: Desk) -> None:
    lost.send(AttestationReceived(attestation(NONCE, lost.wall), NONCE, MonoMs(lost.mono - 100)))
    assert trust(lost) is ClockTrust.ATTESTED


@pytest.mark.parametrize("case", ["other nonce", "other key", "slow", "other kind", "junk"])
def test_attestation_that_does_not_count(lost: Desk, case: str) -> None:
    data = {
        "other nonce": attestation("f" * 32, lost.wall),
        "other key": attestation(NONCE, lost.wall, COMMUNE_KEY),
        "slow": attestation(NONCE, lost.wall),
        "other kind": sign_document(Kind.HEAD, {}, COMMUNE_KEY).pack(),
        "junk": b"junk",
    }[case]
    asked = lost.mono - (20_000 if case == "slow" else 100)
    lost.send(AttestationReceived(data, NONCE, MonoMs(asked)))
    assert trust(lost) is ClockTrust.NONE


def test_asks_when_the_link_comes_up_and_again(lost: Desk) -> None:
    lost.effects.clear()
    lost.send(LinkChanged(True))
    lost.advance(60_000)
    asked = [one for one in lost.effects if isinstance(one, AskAttestation)]
    assert 3 <= len(asked) <= 5


def test_agreed_clock_does_not_ask(desk: Desk) -> None:
    desk.effects.clear()
    desk.send(LinkChanged(True))
    desk.advance(120_000)
    assert not any(isinstance(one, AskAttestation) for one in desk.effects)


@pytest.mark.slow
def test_clock_stays_believed_for_weeks(desk: Desk, office: Office) -> None:
    desk.advance(7 * 86_400_000)
    assert trust(desk) is ClockTrust.AGREED


def test_time_below_the_floor_is_not_believed(desk: Desk, office: Office) -> None:
    office.publish()
    desk.cut_power(off_ms=0)
    desk.boot(clock=False)
    desk.offset -= 86_400_000
    desk.believe()
    assert trust(desk) is ClockTrust.NONE


def test_lying_clock_does_not_raise_the_floor(desk: Desk, office: Office) -> None:
    floor = desk.state.clock.floor
    office.publish()
    assert floor < desk.state.clock.floor <= desk.wall


def test_unbelieved_clock_is_a_fault(lost: Desk) -> None:
    lost.advance(31_000)
    assert [one.code for one in lost.reports(Fault)] == [FaultCode.CLOCK_NOT_TRUSTED]
    lost.believe()
    assert lost.reports(Fault)[-1].ended is not None


def test_programme_does_not_play_by_a_guessed_hour(office: Office) -> None:
    desk = office.desk
    office.publish(office.item("tin", 10_000))
    desk.advance(1000)
    desk.cut_power(off_ms=1000)
    desk.boot(clock=False)
    desk.advance(40_000)
    assert isinstance(desk.sound.output, Silence)
    desk.send(AttestationReceived(attestation(NONCE, desk.wall), NONCE, MonoMs(desk.mono)))
    desk.advance(100)
    assert isinstance(desk.sound.output, Silence) or desk.sound.output.rung is Rung.ORDINARY


def test_status_tells_the_trust(desk: Desk) -> None:
    desk.send(LinkChanged(True))
    desk.advance(1000)
    statuses = desk.reports(Status)
    assert statuses[-1].clock == "agreed"


def test_source_that_begins_to_lie_moves_nothing(desk: Desk) -> None:
    before = clock_trust.believed(desk.state.clock, desk.now())
    desk.send(ClockRead(ClockSource.NTP, WallMs(desk.wall + 86_400_000)))
    assert clock_trust.believed(desk.state.clock, desk.now()) == before


def test_programme_ends_when_time_falls_below_the_floor(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000))
    desk.advance(10_000)
    past = WallMs(desk.wall - 86_400_000)
    desk.send(ClockRead(ClockSource.NTP, past))
    desk.send(ClockRead(ClockSource.RTC, past))
    desk.advance(1000)
    assert trust(desk) is ClockTrust.NONE
    assert isinstance(desk.sound.output, Silence)


def attest(desk: Desk, *, ahead_ms: int = 0) -> None:
    said = attestation(NONCE, WallMs(desk.wall + ahead_ms))
    desk.send(AttestationReceived(said, NONCE, MonoMs(desk.mono - 100)))


def test_attestation_that_our_own_chip_contradicts_is_not_believed(lost: Desk) -> None:
    lost.send(ClockRead(ClockSource.RTC, lost.wall))
    attest(lost, ahead_ms=6 * 60_000)
    assert trust(lost) is ClockTrust.NONE
    attest(lost, ahead_ms=4 * 60_000)
    assert lost.state.clock.attested is not None
    assert clock_trust.believed(lost.state.clock, lost.now()).clock is ClockTrust.ATTESTED


def test_dead_chip_and_a_station_an_hour_off_contradict_nobody(lost: Desk) -> None:
    lost.send(ClockRead(ClockSource.RTC, WallMs(946_684_800_000)))
    lost.send(ClockRead(ClockSource.RDS, WallMs(lost.wall + 3_600_000)))
    attest(lost)
    assert trust(lost) is ClockTrust.ATTESTED
