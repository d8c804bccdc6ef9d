"""What a device tells of itself is held against what was heard: log, faults, bounds, and rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.events import CardChanged, LevelMeasured, LinkChanged, SoundEnded
from edge.core.output import ProgrammeOutput
from edge.reporter import Letter
from protocol import codec
from protocol.clock import WallMs
from protocol.report import AsRun, EndReason, Fault, FaultCode
from protocol.topics import up_topic
from simulators.world.checkers.as_run import AsRunLog
from simulators.world.checkers.bounded import Bounded
from simulators.world.checkers.converged import Converged
from simulators.world.checkers.fault_told import FaultTold
from simulators.world.checkers.proof import Proof
from simulators.world.office import Signed
from simulators.world.plan import Happening
from tests.simulators.world.checkers.stage import HOUR_MS, MEDIA, NAME, Stage, day, item, programme

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
    stage.stored.append({"device": NAME, "id": run.id})
    assert stage.end() == set()


@pytest.mark.parametrize(("lost", "found"), [((), {"as_run"}), ((1,), set())])
def test_controller_takes_a_record_and_does_not_have_it_at_the_end(lost: tuple[int, ...], found: set[str]) -> None:
    """Unless an old backup was put in its place since."""
    stage = day(AsRunLog)
    _, run = _heard(stage)
    stage.record("report.asrun", run, who="controller")
    stage.wait(2 * HOUR_MS)
    stage.world.controller.lost += [(stage.now - 3 * HOUR_MS, stage.now - HOUR_MS) for _ in lost]
    assert stage.end() == found


@pytest.mark.parametrize("kept", [False, True])
def test_letter_rots_before_a_controller_that_cannot_store_has_it(kept: bool) -> None:
    """Its disk is full, so it confirms nothing; the device's card rots, the controller dies: nobody has it now."""
    stage = day(AsRunLog)
    _, run = _heard(stage)
    stage.record("report.asrun", run, who="controller")
    rotten = replace(run, id="2") if kept else run
    stage.record("letters.lost", (Letter(up_topic(NAME, AsRun), codec.encode(rotten), 2),))
    stage.wait(2 * HOUR_MS)
    assert stage.end() == ({"as_run"} if kept else set())


def test_sound_is_missing_on_the_log() -> None:
    stage = day(AsRunLog)
    _heard(stage)
    assert stage.end() == {"as_run"}


def test_sound_is_cut_by_the_guardian_that_takes_over_just_then() -> None:
    """Below the horn it ended with the relay; the agent, which hears nothing of that, logs all of it."""
    stage = day(AsRunLog)
    output = programme(stage.schedule(item(stage.now)), stage.now)
    stage.began(output)
    stage.wait(164_501)
    stage.ended(output, EndReason.INTERRUPTED)
    stage.device.hindrances.begin("relay")
    stage.wait(2 * HOUR_MS)
    stage.device.hindrances.end("relay")
    assert stage.end() == set()


@pytest.mark.parametrize(
    "changes", [{"rung": 5}, {"source": "cd" * 32}, {"ended": WallMs(0)}, {"document": "00" * 32}]
)
def test_log_tells_of_another_sound(changes: dict[str, object]) -> None:
    stage = day(AsRunLog)
    _, run = _heard(stage)
    stage.record("report.asrun", replace(run, **changes), who="controller")  # type: ignore[arg-type]
    assert "as_run" in stage.broken


# The proof of sound.


def _quiet_level(stage: Stage) -> None:
    stage.wait(1000)
    stage.event(LevelMeasured(stage.now, -12_000))
    stage.wait(1)


def _that_should_sound(stage: Stage) -> ProgrammeOutput:
    output = programme(stage.schedule(item(stage.now)), stage.now)
    stage.device.state = replace(stage.state, sound=replace(stage.state.sound, output=output))
    return output


def test_what_should_sound_is_not_heard_and_nobody_is_told() -> None:
    stage = day(Proof)
    _that_should_sound(stage)
    for _ in range(14):
        _quiet_level(stage)
    assert stage.broken == {"proof"}


def test_attempts_that_fail_are_told_one_by_one() -> None:
    """A web radio that cannot be opened is tried again and again, each time for twelve seconds."""
    stage = day(Proof)
    output = _that_should_sound(stage)
    for _ in range(4):
        for _ in range(9):
            _quiet_level(stage)
        stage.event(SoundEnded(output.key, stage.now, stage.now, -12_000, EndReason.SOURCE_FAILED))
        stage.wait(1)
    assert stage.broken == set()


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
        stage.status()
    assert [rule for rule, _ in stage.told] == ["fault_told", "fault_told"]


def _shown_and_never_written(stage: Stage) -> set[str]:
    stage.event(LinkChanged(True))
    for _ in range(12):
        stage.wait(10_000)
        stage.status(faults=(FaultCode.CARD_LOST,))
    return stage.broken


def test_fault_in_the_status_was_never_written() -> None:
    assert _shown_and_never_written(day(FaultTold)) == {"fault_told"}


def test_letter_of_a_fault_may_rot() -> None:
    stage = day(FaultTold)
    letter = Letter(up_topic(NAME, Fault), codec.encode(Fault(NAME, FaultCode.CARD_LOST, stage.now)), 1)
    stage.record("letters.lost", (letter,))
    assert _shown_and_never_written(stage) == set()


def test_letters_wait_while_the_controller_stores_nothing() -> None:
    stage = day(FaultTold)
    full = Happening(0, "controller", "controller.full_disk", 60_000, "")
    stage.record("controller.full_disk", full, who="controller")
    assert _shown_and_never_written(stage) == set()


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
    stage.status()
    assert stage.end() == set()


def _muted(stage: Stage) -> None:
    stage.device.state = replace(
        stage.state, link_up=True, faults={FaultCode.SOUND_UNEXPECTED: (stage.now, "amplifier muted")}
    )
    stage.shown.append({"device": NAME, "code": "sound_unexpected", "ended_ms": None})


def test_amplifier_is_muted_until_the_next_sound() -> None:
    stage = day(Converged)
    stage.wait(HOUR_MS)
    _muted(stage)
    stage.wait(14 * HOUR_MS)
    stage.status()
    assert stage.end() == set()


@pytest.mark.parametrize(("code", "found"), [("card_lost", {"converged"}), ("fm_refused", set())])
def test_screen_shows_a_fault_that_is_over(code: str, found: set[str]) -> None:
    """Of what comes and goes by itself word may be on its way."""
    stage = day(Converged)
    stage.device.state = replace(stage.state, link_up=True)
    stage.shown += [
        {"device": NAME, "code": "line_fault", "ended_ms": 1},
        {"device": NAME, "code": code, "ended_ms": None},
    ]
    stage.wait(15 * HOUR_MS)
    stage.status()
    assert stage.end() == found


def test_amplifier_is_called_muted_after_a_sound() -> None:
    stage = day(Converged)
    stage.wait(HOUR_MS)
    _muted(stage)
    output = programme(stage.schedule(item(stage.now)), stage.now)
    stage.began(output)
    stage.wait(600_000)
    stage.ended(output)
    stage.wait(14 * HOUR_MS)
    stage.status()
    assert stage.end() == {"converged"}


def test_device_has_not_come_to_rest() -> None:
    stage = day(Converged)
    stage.record("handed_in", stage.schedule(), who="office")
    stage.device.card.letters.update(dict.fromkeys(range(20)))
    stage.device.state = replace(stage.state, faults={FaultCode.CARD_LOST: (stage.now, "card")})
    stage.wait(14 * HOUR_MS)
    stage.shown.append({"device": NAME, "code": "card_lost", "ended_ms": None})
    assert stage.end() == {"converged"}
    assert len(stage.told) == 5
