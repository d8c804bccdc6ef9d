"""Stored messages behind the buttons at the device (behaviour.md, section 1, rung 3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core import message
from edge.core.effects import DeleteMedia, FetchMedia
from edge.core.events import (
    EnvelopeReceived,
    LinkChanged,
    MessagePressed,
    Route,
    SoundEnded,
    StopPressed,
    TalkPressed,
    TalkReleased,
)
from edge.core.output import MessageOutput, MicrophoneOutput, ProgrammeOutput, Rung, Silence
from protocol.audible_config import StoredMessage, Window
from protocol.report import AsRun, EndReason, Fault, FaultCode, Status
from simulators.desk import Desk
from tests.edge.core.office import Office, media

MEETING = StoredMessage(1, "Mời họp dân", media("hop-dan", 20_000))
VACCINE = StoredMessage(2, "Tiêm phòng", media("tiem-phong", 30_000))
ALL_DAY = Window(0, 86_400)


@pytest.fixture
def ready(desk: Desk, office: Office) -> Desk:
    """A device whose two messages are stored."""
    office.configure(messages=(MEETING, VACCINE))
    desk.advance(1000)
    return desk


def ends(desk: Desk) -> list[tuple[str | None, EndReason, str | None]]:
    return [(one.item, one.end_reason, one.stopped_by) for one in desk.reports(AsRun)]


def faults(desk: Desk) -> list[tuple[FaultCode, str, bool]]:
    return [(one.code, one.detail, one.ended is not None) for one in desk.reports(Fault)]


def test_message_plays_once_from_its_beginning(ready: Desk, office: Office) -> None:
    ready.send(LinkChanged(True))
    ready.send(MessagePressed(1))
    assert ready.state.sound.output.rung is Rung.MICROPHONE
    ready.advance(1000)
    assert ready.reports(Status)[-1].sounding == "message-1"
    ready.advance(25_000)
    assert isinstance(ready.sound.output, Silence)
    (told,) = ready.reports(AsRun)
    assert (told.document, told.item, told.source) == (office.sent[-1].digest, "message-1", MEETING.media.digest)
    assert (told.rung, told.end_reason, told.ended - told.began) == (3, EndReason.COMPLETE, 20_000)


def test_message_needs_neither_network_nor_hour(ready: Desk) -> None:
    ready.cut_power(off_ms=60_000)
    ready.boot(clock=False)
    ready.send(MessagePressed(2))
    ready.advance(100)
    assert isinstance(ready.sound.output, MessageOutput)


def test_message_is_fetched_without_an_hour(desk: Desk, office: Office) -> None:
    office.configure(messages=(MEETING,))
    wanted = [one.media for one in desk.effects if isinstance(one, FetchMedia)]
    assert wanted == [MEETING.media]
    desk.advance(1000)
    desk.send(LinkChanged(True))
    desk.advance(1000)
    assert (desk.reports(Status)[-1].media_held, desk.reports(Status)[-1].media_wanted) == (1, 1)


def test_message_that_no_document_names_is_deleted(ready: Desk, office: Office) -> None:
    office.publish(office.item("tin", 60_000))
    ready.advance(1000)
    office.configure(messages=(VACCINE,))
    assert [one.digest for one in ready.effects if isinstance(one, DeleteMedia)] == [MEETING.media.digest]


def test_same_button_again_ends_it(ready: Desk) -> None:
    ready.send(MessagePressed(1))
    ready.advance(3000)
    ready.send(MessagePressed(1))
    ready.advance(100)
    assert isinstance(ready.sound.output, Silence)
    assert ends(ready) == [("message-1", EndReason.STOPPED, "panel")]


def test_pressed_a_third_time_it_begins_anew(ready: Desk) -> None:
    for _ in range(3):
        ready.send(MessagePressed(1))
        ready.advance(2000)
    assert isinstance(ready.sound.output, MessageOutput)
    ready.advance(20_000)
    assert ends(ready)[-1] == ("message-1", EndReason.COMPLETE, None)


def test_stop_button_ends_it(ready: Desk) -> None:
    ready.send(MessagePressed(1))
    ready.advance(3000)
    ready.send(StopPressed())
    ready.advance(100)
    assert isinstance(ready.sound.output, Silence)
    assert ends(ready) == [("message-1", EndReason.STOPPED, "panel")]


def test_another_number_replaces_it(ready: Desk) -> None:
    ready.send(MessagePressed(1))
    ready.advance(3000)
    ready.send(MessagePressed(2))
    ready.advance(100)
    assert isinstance(output := ready.sound.output, MessageOutput) and output.number == 2
    assert ends(ready) == [("message-1", EndReason.SUPERSEDED, None)]


def test_talk_button_ends_it_for_good(ready: Desk) -> None:
    ready.send(MessagePressed(1))
    ready.advance(3000)
    ready.send(TalkPressed(False))
    assert isinstance(ready.state.sound.output, MicrophoneOutput)
    ready.send(MessagePressed(2))
    ready.advance(1000)
    assert isinstance(ready.sound.output, MicrophoneOutput)
    ready.send(TalkReleased())
    ready.advance(1000)
    assert isinstance(ready.sound.output, Silence)
    assert ends(ready)[0] == ("message-1", EndReason.INTERRUPTED, None)


def test_alert_ends_it_for_good(ready: Desk, office: Office) -> None:
    ready.send(MessagePressed(1))
    ready.advance(3000)
    alert = office.alarm()
    assert ready.state.sound.output.rung is Rung.EMERGENCY
    office.cancel(alert)
    ready.advance(1000)
    assert isinstance(ready.sound.output, Silence)
    assert ends(ready)[0] == ("message-1", EndReason.INTERRUPTED, None)


def test_programme_waits_for_a_message(ready: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000, duration_ms=120_000))
    ready.advance(10_000)
    ready.send(MessagePressed(1))
    ready.advance(1000)
    assert isinstance(ready.sound.output, MessageOutput)
    ready.advance(20_000)
    assert isinstance(ready.sound.output, ProgrammeOutput)


def test_power_cut_ends_it(ready: Desk) -> None:
    ready.send(MessagePressed(1))
    ready.advance(3000)
    ready.cut_power(off_ms=2000)
    ready.boot()
    ready.advance(3000)
    assert isinstance(ready.sound.output, Silence)


def test_button_without_a_message_is_a_fault_for_a_minute(ready: Desk) -> None:
    ready.send(MessagePressed(3))
    assert isinstance(ready.state.sound.output, Silence)
    why = "no message is signed for button 3"
    assert faults(ready) == [(FaultCode.MESSAGE_MISSING, why, False)]
    ready.advance(message.REFUSED_MS)
    assert faults(ready)[1:] == [(FaultCode.MESSAGE_MISSING, why, True)]


def test_next_good_press_ends_the_fault(ready: Desk) -> None:
    ready.send(MessagePressed(3))
    ready.send(MessagePressed(1))
    assert faults(ready)[-1][2]


def test_message_that_has_not_arrived_is_a_fault(desk: Desk, office: Office) -> None:
    desk.reachable = frozenset()
    office.configure(messages=(MEETING,))
    desk.send(MessagePressed(1))
    assert isinstance(desk.state.sound.output, Silence)
    assert faults(desk) == [(FaultCode.MESSAGE_MISSING, "message 1 is not stored yet: Mời họp dân", False)]


def test_message_that_cannot_be_played_is_silence_and_a_fault(ready: Desk) -> None:
    ready.send(MessagePressed(1))
    ready.advance(1000)
    ready.break_source()
    assert ready.state.message is None and isinstance(ready.state.sound.output, Silence)
    assert faults(ready)[0][0] is FaultCode.PLAYER_FAILED
    ready.advance(5000)
    assert isinstance(ready.sound.output, Silence)


@pytest.mark.parametrize("allowed", [True, False])
def test_quiet_hours_bind_it_as_they_bind_the_microphone(desk: Desk, office: Office, allowed: bool) -> None:
    office.configure(messages=(MEETING,), quiet_hours=(ALL_DAY,), microphone_in_quiet_hours=allowed)
    desk.advance(1000)
    desk.send(MessagePressed(1))
    assert isinstance(desk.state.sound.output, MessageOutput if allowed else Silence)
    assert (desk.state.message is not None) is allowed


@pytest.mark.parametrize("left", [(VACCINE,), (VACCINE, replace(MEETING, media=media("khac", 20_000)))])
def test_message_that_is_withdrawn_falls_silent(ready: Desk, office: Office, left: tuple[StoredMessage, ...]) -> None:
    ready.send(MessagePressed(1))
    ready.advance(2000)
    office.configure(messages=left)
    ready.advance(100)
    assert isinstance(ready.sound.output, Silence)
    assert ends(ready) == [("message-1", EndReason.CANCELLED, None)]


def test_message_whose_end_is_never_told_is_over(ready: Desk) -> None:
    ready.send(MessagePressed(1))
    playing = ready.state.message
    assert playing is not None
    ready.advance(500)
    ready.sound.output = Silence()
    ready.advance_to(ready.wall + message.over_at(playing) - ready.mono)
    assert ready.state.message is None


def test_end_of_an_older_press_leaves_the_newer_alone(ready: Desk) -> None:
    ready.send(MessagePressed(1))
    former = ready.state.sound.output
    ready.advance(1000)
    ready.send(MessagePressed(2))
    ready.send(SoundEnded(former.key, ready.wall, ready.wall, -1800, EndReason.COMPLETE))
    assert ready.state.message is not None and ready.state.message.number == 2


def test_configuration_twice_changes_nothing(ready: Desk, office: Office) -> None:
    ready.send(MessagePressed(1))
    ready.send(EnvelopeReceived(office.sent[-1].pack(), Route.HTTP))
    ready.advance(500)
    assert isinstance(ready.sound.output, MessageOutput)
