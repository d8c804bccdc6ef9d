"""What a device tells is held against what it was given: clocks, versions, memory, log, faults, bounds, and rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.events import AttestationReceived, CardChanged, FmSignalMeasured, LinkChanged
from edge.core.output import FmOutput, Rung
from edge.core.state import ClockState
from protocol import codec
from protocol.alert import Stop
from protocol.audible_config import Fallback, Station, Window
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.freshness import Attestation
from protocol.report import AsRun, EndReason, Fault, FaultCode, InForce, Receipt, Standing, Status
from simulators.world.checkers.as_run import AsRunLog
from simulators.world.checkers.bounded import Bounded
from simulators.world.checkers.clock import Clock
from simulators.world.checkers.converged import Converged
from simulators.world.checkers.durable import Durable
from simulators.world.checkers.fault_told import FaultTold
from simulators.world.checkers.fm_gate import FmGate
from simulators.world.checkers.in_force import InForce as InForceRule
from simulators.world.checkers.versions import Versions
from simulators.world.office import Signed
from tests.simulators.world.checkers.stage import HOME, HOUR_MS, MEDIA, NAME, PLACE, Stage, day, item, programme


def _status(stage: Stage, *signed: Signed, faults: tuple[FaultCode, ...] = ()) -> None:
    held = tuple(
        InForce(one.document.scope, one.kind.value, getattr(one.document, "version", 0), one.envelope.digest)
        for one in signed
    )
    status = Status(NAME, PLACE, stage.now, 9, -12_000, "agreed", "1", "boot", 0, 0, in_force=held, faults=faults)
    stage.record("report.status", status, who="controller")


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
    _status(stage, rules, schedule)
    newer = stage.schedule(version=2)
    stage.give(newer)
    stage.wait(200_000)
    _status(stage, rules, newer)
    assert stage.end() == set()


def test_older_schedule_is_in_force_again() -> None:
    stage = day(InForceRule, Versions)
    older, newer = stage.schedule(version=1), stage.schedule(version=2)
    stage.give(older)
    stage.give(newer)
    stage.wait(200_000)
    _status(stage, newer)
    stage.wait(200_000)
    _status(stage, older)
    assert stage.broken == {"in_force", "versions"}


def test_schedule_of_nobody_is_in_force() -> None:
    stage = day(InForceRule, Versions)
    genuine = stage.schedule()
    stage.give(genuine)
    stage.wait(200_000)
    forged = replace(genuine, envelope=sign("schedule", b"{}", [stage.offices.key("stranger")]))
    _status(stage, forged)
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


# The clock.


def test_hour_that_two_sources_agree_on_has_ground() -> None:
    stage = day(Clock)
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


# The log.


def _heard(stage: Stage) -> tuple[Signed, AsRun]:
    start = stage.now
    signed = stage.schedule(item(start))
    stage.give(signed)
    output = programme(signed, start)
    stage.began(output)
    stage.wait(600_000)
    stage.ended(output)
    digest, began = signed.envelope.digest, WallMs(stage.now - 600_000)
    run = AsRun("1", NAME, 6, MEDIA.digest, began, stage.now, EndReason.COMPLETE, -1800, None, digest, "sang", start)
    stage.wait(2 * HOUR_MS)
    return signed, run


def test_every_sound_is_on_the_log() -> None:
    stage = day(AsRunLog)
    _, run = _heard(stage)
    stage.record("report.asrun", run, who="controller")
    assert stage.end() == set()


def test_sound_is_missing_on_the_log() -> None:
    stage = day(AsRunLog)
    _heard(stage)
    assert stage.end() == {"as_run"}


@pytest.mark.parametrize(
    "changes", [{"rung": 5}, {"source": "cd" * 32}, {"ended": WallMs(0)}, {"document": "00" * 32}]
)
def test_log_tells_of_another_sound(changes: dict[str, object]) -> None:
    stage = day(AsRunLog)
    _, run = _heard(stage)
    stage.record("report.asrun", replace(run, **changes), who="controller")  # type: ignore[arg-type]
    assert "as_run" in stage.broken


# Faults, bounds, rest.


def test_fault_is_known_and_shown_in_time() -> None:
    stage = day(FaultTold)
    stage.event(LinkChanged(True))
    stage.event(CardChanged(False))
    stage.device.state = replace(stage.state, faults={FaultCode.CARD_LOST: (stage.now, "card")})
    fault = Fault(NAME, FaultCode.CARD_LOST, stage.now)
    stage.record("report.fault", fault, who="controller")
    for _ in range(12):
        stage.wait(10_000)
    assert stage.broken == set()


def test_fault_is_known_to_nobody() -> None:
    stage = day(FaultTold)
    stage.event(LinkChanged(True))
    stage.event(CardChanged(False))
    for _ in range(12):
        stage.wait(10_000)
        _status(stage)
    assert [rule for rule, _ in stage.told] == ["fault_told", "fault_told"]


def test_more_is_written_or_remembered_than_allowed() -> None:
    stage = day(Bounded)
    stage.device.card.bytes_written = 10**9
    stage.device.state = replace(stage.state, announced=("x",) * 1000)
    assert stage.end() == {"bounded"}
    assert len(stage.told) == 2


def test_device_has_come_to_rest() -> None:
    stage = day(Converged)
    signed = stage.schedule()
    stage.record("handed_in", signed, who="office")
    stage.give(signed)
    stage.device.state = replace(stage.state, link_up=True)
    stage.wait(14 * HOUR_MS)
    _status(stage)
    assert stage.end() == set()


def test_device_has_not_come_to_rest() -> None:
    stage = day(Converged)
    stage.record("handed_in", stage.schedule(), who="office")
    stage.device.card.letters.update(dict.fromkeys(range(20)))
    stage.device.state = replace(stage.state, faults={FaultCode.CARD_LOST: (stage.now, "card")})
    stage.wait(14 * HOUR_MS)
    assert stage.end() == {"converged"}
    assert len(stage.told) == 5
