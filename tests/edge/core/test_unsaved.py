"""A card that takes nothing: what happens is known all the same, and what must end does; nothing is begun that would
have to be stored first."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edge.core.agent import Decision, step
from edge.core.effects import SaveState
from edge.core.events import (
    EnvelopeReceived,
    Event,
    MessagePressed,
    ParcelReceived,
    StateSaveFailed,
    StopPressed,
    TalkPressed,
    TalkReleased,
    Ticked,
)
from edge.core.output import AlertOutput, MicrophoneOutput, ProgrammeOutput, Silence
from protocol.clock import MonoMs, WallMs, local_second
from protocol.report import AsRun, EndReason, Fault, FaultCode, Receipt
from simulators.desk import Desk
from tests.edge.core.office import IDENTITY, Office

ONCE = (Ticked, EnvelopeReceived, ParcelReceived)


@dataclass
class BadCard(Desk):
    """Does with a decision that cannot be stored what the runner does."""

    failing: bool = False

    def send(self, event: Event) -> Decision:
        decision = step(self.state, event, self.now())
        if not self.failing or not any(isinstance(one, SaveState) for one in decision.effects):
            return super().send(event)
        self.wake_at = MonoMs(self.mono + 500)
        super().send(StateSaveFailed("I/O error"))
        return decision if isinstance(event, ONCE) else super().send(event)


@pytest.fixture
def desk() -> Desk:
    made = BadCard(IDENTITY)
    made.offset += (10 * 3600 - local_second(made.wall)) * 1000 - made.wall % 1000
    made.boot()
    return made


def fail(desk: Desk, failing: bool = True) -> None:
    assert isinstance(desk, BadCard)
    desk.failing = failing


def test_talk_button_is_let_go_of_while_a_bulletin_waits(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000, duration_ms=120_000))
    desk.send(TalkPressed(emergency=False))
    desk.advance(1000)
    fail(desk)
    desk.advance(10_000)
    assert isinstance(desk.sound.output, MicrophoneOutput)
    desk.send(TalkReleased())
    desk.advance(100)
    assert isinstance(desk.sound.output, Silence)
    fail(desk, False)
    desk.advance(1000)
    assert isinstance(desk.sound.output, ProgrammeOutput)


def test_emergency_ends_when_its_time_is_over(desk: Desk, office: Office) -> None:
    office.alarm(expires=WallMs(desk.wall + 60_000))
    desk.advance(5000)
    fail(desk)
    assert isinstance(desk.sound.output, AlertOutput)
    desk.advance(56_000)
    assert isinstance(desk.sound.output, Silence)


def test_hand_at_the_device_stops_what_sounds(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000, duration_ms=120_000))
    desk.advance(6000)
    fail(desk)
    desk.send(StopPressed())
    desk.advance(100)
    assert isinstance(desk.sound.output, Silence)


def test_bulletin_that_ends_is_on_the_log_once(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000, duration_ms=20_000))
    desk.advance(6000)
    fail(desk)
    desk.advance(60_000)
    fail(desk, False)
    desk.advance(60_000)
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.COMPLETE]


def test_what_was_known_is_stored_with_the_first_save(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000, duration_ms=20_000))
    desk.advance(6000)
    fail(desk)
    desk.advance(60_000)
    before = desk.registers
    fail(desk, False)
    desk.advance(1000)
    assert desk.registers != before
    assert desk.state.unsaved is None


def test_fault_is_told_once_however_often_it_is_tried(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000, duration_ms=120_000))
    fail(desk)
    desk.advance(100_000)
    fail(desk, False)
    desk.advance(120_000)
    told = [one for one in desk.reports(Fault) if one.code is FaultCode.STORAGE_FULL]
    assert [one.ended is not None for one in told] == [False, True]


def test_message_button_works(desk: Desk, office: Office) -> None:
    fail(desk)
    desk.send(MessagePressed(1))
    assert desk.state.message_refused is not None


def test_nothing_is_promised(desk: Desk, office: Office) -> None:
    fail(desk)
    office.publish(office.item("tin", 5000))
    assert desk.reports(Receipt) == []
    assert desk.state.force.schedules == ()
