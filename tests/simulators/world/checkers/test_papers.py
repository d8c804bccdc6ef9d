"""What a device tells is held against what it was given: clocks, versions, memory, and the station."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.events import AttestationReceived, ClockRead, ClockSource, FmSignalMeasured, MediaLost
from edge.core.output import FmOutput, Rung
from edge.core.state import ClockState
from protocol import codec
from protocol.alert import Stop
from protocol.audible_config import Fallback, Station, Window
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.freshness import Attestation
from protocol.report import Receipt, Standing
from simulators.world.checkers.clock import Clock
from simulators.world.checkers.durable import Durable
from simulators.world.checkers.fm_gate import FmGate
from simulators.world.checkers.in_force import InForce as InForceRule
from simulators.world.checkers.versions import Versions
from simulators.world.office import Signed
from tests.simulators.world.checkers.stage import HOME, HOUR_MS, MEDIA, NAME, Stage, day, item


def _receipt(
    stage: Stage, signed: Signed, standing: Standing = Standing.RECEIVED, *, name: str | None = None
) -> None:
    receipt = Receipt(NAME, signed.envelope.digest, str(signed.kind), standing, stage.now, name)
    stage.record("report.receipt", receipt, who="controller")


# What is in force.


def test_what_was_given_is_in_force() -> None:
    stage = day(InForceRule, Versions)
    rules, schedule = stage.rules_of_the_horn(), stage.schedule()
    stage.give(rules, schedule)
    stage.wait(200_000)
    stage.status(rules, schedule)
    newer = stage.schedule(version=2)
    stage.give(newer)
    stage.wait(200_000)
    stage.status(rules, newer)
    assert stage.end() == set()


def test_older_schedule_is_in_force_again() -> None:
    stage = day(InForceRule, Versions)
    older, newer = stage.schedule(version=1), stage.schedule(version=2)
    stage.give(older)
    stage.give(newer)
    stage.wait(200_000)
    stage.status(newer)
    stage.wait(200_000)
    stage.status(older)
    assert stage.broken == {"in_force", "versions"}


def test_schedule_of_nobody_is_in_force() -> None:
    stage = day(InForceRule, Versions)
    genuine = stage.schedule()
    stage.give(genuine)
    stage.wait(200_000)
    forged = replace(genuine, envelope=sign("schedule", b"{}", [stage.offices.key("stranger")]))
    stage.status(forged)
    assert stage.broken == {"in_force", "versions"}


def test_two_stops_with_one_number_are_obeyed() -> None:
    stage = day(Versions)
    for minutes in (5, 6):
        until = WallMs(stage.now + minutes * 60_000)
        stop = stage.sign(Kind.STOP, Stop(HOME, 1, stage.now, until, until, (HOME,)))
        stage.give(stop)
        _receipt(stage, stop)
    assert stage.broken == {"versions"}


# Memory.


def test_acknowledged_documents_come_back() -> None:
    stage = day(Durable)
    rules, schedule = stage.rules_of_the_horn(), stage.schedule(item(WallMs(stage.now + HOUR_MS)))
    stage.give(rules, schedule)
    _receipt(stage, schedule)
    _receipt(stage, schedule, Standing.READY, name="sang")
    stage.cut()
    stage.boot(*stage.grants, rules, schedule)
    stage.wait(1)
    assert stage.broken == set()


@pytest.mark.parametrize("lost", ["document", "sound"])
def test_what_was_acknowledged_is_gone(lost: str) -> None:
    stage = day(Durable)
    schedule = stage.schedule(item(WallMs(stage.now + HOUR_MS)))
    stage.give(schedule)
    _receipt(stage, schedule)
    _receipt(stage, schedule, Standing.READY, name="sang")
    stage.cut()
    stored = [*stage.grants] if lost == "document" else [*stage.grants, schedule]
    stage.boot(*stored, media=() if lost == "sound" else (MEDIA.digest,))
    stage.wait(1)
    assert stage.broken == {"durable"}


@pytest.mark.parametrize(("told", "found"), [(True, set()), (False, {"durable"})])
def test_sound_that_rotted_is_thrown_away_and_told(told: bool, found: set[str]) -> None:
    stage = day(Durable)
    schedule = stage.schedule(item(WallMs(stage.now + HOUR_MS)))
    stage.give(schedule)
    _receipt(stage, schedule, Standing.READY, name="sang")
    stage.device.card.media.clear()
    if told:
        stage.event(MediaLost(MEDIA.digest))
        stage.wait(1)
    stage.status(schedule)
    assert stage.broken == found


def test_card_that_lied_is_forgiven() -> None:
    stage = day(Durable)
    schedule = stage.schedule()
    stage.give(schedule)
    _receipt(stage, schedule)
    stage.cut()
    stage.device.card.spoiled = True
    stage.boot(*stage.grants)
    stage.wait(1)
    assert stage.broken == set()


@pytest.mark.parametrize("registers", [b"{}", None])
def test_older_version_does_not_count_beside_the_one_that_is_stored(registers: bytes | None) -> None:
    """Lost registers take the numbers with them, the mirror of the documents has them still."""
    stage = day(Durable)
    older, newer = stage.schedule(), stage.schedule(version=2)
    stage.give(older, newer)
    stage.cut()
    stage.boot(*stage.grants, newer, registers=registers)
    stage.believe()
    stage.give(older)
    held = stage.court.papers.held[NAME]
    assert [one.version for _, one in held.schedules()] == [2]


# The clock.


def test_hour_that_two_sources_agree_on_has_ground() -> None:
    stage = day(Clock)
    stage.wait(1)
    assert stage.broken == set()


def test_any_two_of_three_sources_are_ground() -> None:
    """The core takes the two that say the least; the third agrees with one of them only."""
    stage = day(Clock)
    offset = stage.now - stage.mono
    stage.event(ClockRead(ClockSource.RDS, WallMs(stage.now + 48_000)))
    stage.wait(1)
    stage.device.state = replace(stage.state, clock=ClockState(agreed=offset - 22_500))
    stage.event(ClockRead(ClockSource.RTC, WallMs(stage.now - 45_000)))
    stage.wait(1)
    assert stage.broken == set()


def test_hour_of_nobody_has_no_ground() -> None:
    stage = day(Clock)
    stage.device.state = replace(stage.state, clock=ClockState(agreed=stage.now - stage.mono + 3_600_000))
    stage.event(AttestationReceived(b"", "00" * 16, stage.mono))
    stage.wait(1)
    assert stage.broken == {"clock"}


@pytest.mark.parametrize("nonce", ["11" * 16, "22" * 16])
def test_answer_counts_for_its_own_nonce(nonce: str) -> None:
    stage = Stage((Clock,))
    stage.boot()
    word = codec.encode(Attestation("11" * 16, stage.now))
    data = sign(Kind.ATTESTATION, word, [stage.offices.freshness]).pack()
    stage.device.state = replace(stage.state, clock=ClockState(attested=stage.now - stage.mono))
    stage.event(AttestationReceived(data, nonce, stage.mono))
    stage.wait(1)
    assert stage.broken == (set() if nonce == "11" * 16 else {"clock"})


def test_hour_falls_below_the_last_signed_one() -> None:
    stage = day(Clock)
    stage.give(stage.schedule())
    stage.cut()
    stage.boot(*stage.grants)
    stage.believe(error_ms=-HOUR_MS)
    assert stage.broken == {"clock"}


# A card that hangs.


@pytest.mark.parametrize("why", ["stuck", "undone"])
@pytest.mark.parametrize(("ends", "versions"), [("agent.ended", []), ("power.off", []), ("nothing", [1])])
def test_what_hung_on_the_card_counts_when_it_answers(why: str, ends: str, versions: list[int]) -> None:
    """A decision waits for its save; whoever is ended meanwhile, by the watchdog or a cut, has decided nothing."""
    stage = day(Durable)
    setattr(stage.device.card, why, True)
    stage.give(stage.schedule())
    stage.record(ends)
    setattr(stage.device.card, why, False)
    stage.record("freed")
    held = stage.court.papers.held[NAME]
    assert [one.version for _, one in held.schedules()] == versions


# FM.


def _radio(stage: Stage, *, pi: str | None = None) -> FmOutput:
    stations, windows = (Station(97_300, "tỉnh", pi),), (Window(0, 86_400),)
    stage.give(stage.rules_of_the_horn(fm_stations=stations, fm_windows=windows, fallback=Fallback.FM))
    return FmOutput(Rung.FM_FALLBACK, 97_300)


def _listen(stage: Stage, rssi_dbuv: int, pi: str | None, *, seconds: int = 3) -> None:
    for _ in range(seconds):
        stage.event(FmSignalMeasured(97_300, rssi_dbuv, pi))
        stage.wait(1000)


def test_good_station_sounds() -> None:
    stage = day(FmGate)
    output = _radio(stage, pi="D973")
    _listen(stage, 50, "D973")
    stage.began(output)
    _listen(stage, 48, "D973", seconds=60)
    stage.ended(output)
    assert stage.broken == set()


@pytest.mark.parametrize(("rssi_dbuv", "pi"), [(20, "D973"), (50, "AAAA"), (50, None)])
def test_gate_opens_for_the_wrong_station(rssi_dbuv: int, pi: str | None) -> None:
    stage = day(FmGate)
    output = _radio(stage, pi="D973")
    _listen(stage, rssi_dbuv, pi)
    stage.began(output)
    assert stage.broken == {"fm_gate"}


@pytest.mark.parametrize(
    ("rssi_dbuv", "pi", "seconds"),
    [(20, "D973", 3), (70, "D973", 3), (50, "AAAA", 3), (50, None, 30), (50, "D973", 3700)],
)
def test_gate_stays_open_too_long(rssi_dbuv: int, pi: str | None, seconds: int) -> None:
    stage = day(FmGate)
    output = _radio(stage, pi="D973")
    _listen(stage, 50, "D973")
    stage.began(output)
    _listen(stage, rssi_dbuv, pi, seconds=seconds)
    stage.wait(1000)
    assert stage.broken == {"fm_gate"}


def test_tuner_falls_silent_and_fm_goes_on() -> None:
    stage = day(FmGate)
    output = _radio(stage)
    _listen(stage, 50, None)
    stage.began(output)
    for _ in range(10):
        stage.wait(1000)
    assert stage.broken == {"fm_gate"}
