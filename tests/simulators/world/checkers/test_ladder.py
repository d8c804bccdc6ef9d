"""What is due sounds in time, emergencies at once, starts at their second, and nothing twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.events import (
    Booted,
    CardChanged,
    LiveSegmentReceived,
    MediaLost,
    MediaStored,
    StateSaveFailed,
    TalkPressed,
    TalkReleased,
)
from edge.core.output import AlertOutput, LiveOutput, MicrophoneOutput, Rung
from protocol.alert import Alert
from protocol.bulletin import BulletinClass, CatchUp
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.live import LiveSegment, LiveSession
from protocol.report import EndReason
from simulators.world.checkers.emergency import Emergency
from simulators.world.checkers.ladder import Ladder
from simulators.world.checkers.live import Live
from simulators.world.checkers.once import Once
from simulators.world.checkers.start import Start
from simulators.world.office import Signed
from tests.simulators.world.checkers.stage import HOME, HOUR_MS, MEDIA, Stage, day, item, programme


def _planned(stage: Stage, *, in_s: int = 60, **fields: object) -> tuple[Signed, WallMs]:
    """An item that begins soon, and is known."""
    start = WallMs(stage.now + in_s * 1000)
    signed = stage.schedule(item(start, **fields))  # type: ignore[arg-type]
    stage.give(stage.rules_of_the_horn(), signed)
    stage.wait(start - stage.now)
    return signed, start


def test_item_that_sounds_at_its_second_is_right() -> None:
    stage = day(Ladder, Start, Once)
    signed, start = _planned(stage)
    stage.began(programme(signed, start))
    stage.wait(600_000)
    stage.ended(programme(signed, start))
    stage.wait(60_000)
    assert stage.end() == set()


def test_item_that_is_due_and_silent_is_a_gap() -> None:
    stage = day(Ladder)
    _planned(stage)
    stage.wait(1001)
    stage.wait(1)
    assert stage.broken == {"gap"}


def test_agent_that_starts_anew_gives_the_amplifier_its_lead_in_again() -> None:
    stage = day(Ladder)
    signed, start = _planned(stage)
    stage.began(programme(signed, start))
    stage.wait(100_000)
    stage.record("agent.ended")
    stage.ended(programme(signed, start), EndReason.INTERRUPTED)
    stage.wait(2500)
    stage.event(
        Booted("again", b"{}", tuple(one.envelope.pack() for one in (*stage.grants, signed)), (MEDIA.digest,))
    )
    stage.believe()
    stage.wait(700)
    stage.began(programme(signed, start))
    stage.wait(1000)
    assert stage.broken == set()


def test_item_that_could_not_be_stored_at_its_second_is_skipped_as_its_policy_says() -> None:
    stage = day(Ladder)
    start = WallMs(stage.now + 60_000)
    signed = stage.schedule(item(start, catch_up=CatchUp.SKIP))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.device.card.broken = True
    stage.wait(60_000)
    stage.event(StateSaveFailed("Input/output error"))
    stage.device.card.broken = False
    stage.wait(100_000)
    stage.event(TalkPressed(False))
    stage.event(TalkReleased())
    stage.wait(2000)
    stage.wait(1)
    assert stage.broken == set()


@pytest.mark.parametrize(("spoiled", "broken"), [(True, set()), (False, {"gap"})])
def test_item_goes_on_after_a_cut_unless_the_card_forgot_it(spoiled: bool, broken: set[str]) -> None:
    stage = day(Ladder)
    signed, start = _planned(stage)
    stage.began(programme(signed, start))
    stage.wait(100_000)
    stage.cut()
    stage.device.card.spoiled = spoiled
    stage.boot(*stage.grants, signed)
    stage.believe()
    stage.wait(3000)
    stage.wait(1)
    assert stage.broken == broken


@pytest.mark.parametrize("why", ["card away", "not stored", "no media", "quiet"])
def test_silence_that_the_rules_allow_is_no_gap(why: str) -> None:
    stage = day(Ladder, hour=8 if why != "quiet" else 2)
    if why == "card away":
        stage.event(CardChanged(False))
    elif why == "no media":
        stage.device.card.media.clear()
    _planned(stage)
    if why == "not stored":
        stage.event(StateSaveFailed("full"))
    stage.wait(1200)
    stage.wait(1)
    assert stage.broken == set()


def test_ordinary_item_sounds_while_priority_is_due() -> None:
    stage = day(Ladder)
    start = WallMs(stage.now + 60_000)
    signed = stage.schedule(item(start), item(start, name="gap", priority=True))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.wait(60_000)
    stage.began(programme(signed, start))
    stage.wait(1200)
    stage.wait(1)
    assert stage.broken == {"ladder"}


def test_talk_button_is_held_and_nothing_is_heard() -> None:
    stage = day(Ladder)
    stage.give(stage.rules_of_the_horn())
    stage.event(TalkPressed(True))
    stage.wait(1200)
    stage.wait(1)
    assert stage.broken == {"gap"}
    assert stage.court.truth.boxes["d00000"].rung is Rung.SILENCE


def test_talk_button_beyond_its_cap_is_no_gap() -> None:
    stage = day(Ladder)
    stage.give(stage.rules_of_the_horn(talk_ms_max=60_000))
    stage.event(TalkPressed(True))
    stage.wait(100)
    stage.began(MicrophoneOutput(Rung.EMERGENCY_MICROPHONE))
    stage.wait(59_950)
    stage.ended(MicrophoneOutput(Rung.EMERGENCY_MICROPHONE))
    stage.wait(5000)
    stage.wait(1)
    assert stage.broken == set()


def _output(signed: Signed) -> AlertOutput:
    alert = signed.document
    assert isinstance(alert, Alert)
    return AlertOutput(signed.envelope.digest, alert.id, alert.tone, alert.tone_ms, alert.gap_ms, alert.parts)


def test_emergency_that_sounds_within_a_second_is_right() -> None:
    stage = day(Emergency, Ladder)
    signed = stage.alert()
    stage.give(signed)
    stage.wait(700)
    stage.began(_output(signed))
    stage.wait(3000)
    assert stage.broken == set()


def test_emergency_that_does_not_sound_is_found() -> None:
    stage = day(Emergency, Ladder)
    stage.give(stage.alert())
    stage.wait(2000)
    stage.wait(1)
    assert stage.broken == {"emergency", "gap"}


def test_second_emergency_is_lost() -> None:
    stage = day(Emergency)
    first, second = stage.alert(), stage.alert(sequence=2)
    stage.give(first)
    stage.wait(700)
    stage.began(_output(first))
    stage.give(second)
    stage.wait(2000)
    assert stage.broken == {"emergency"}


def test_emergency_that_nobody_may_sign_need_not_sound() -> None:
    stage = day(Emergency, Ladder)
    alert = stage.alert()
    forged = replace(alert, envelope=replace(alert.envelope, signatures=()))
    stage.give(forged)
    stage.wait(2000)
    stage.wait(1)
    assert stage.broken == set()


def test_item_begins_late_though_it_was_planned() -> None:
    stage = day(Start)
    signed, start = _planned(stage)
    stage.wait(700)
    stage.began(programme(signed, start))
    stage.wait(1)
    assert stage.broken == {"start"}


def test_item_whose_sound_came_in_its_second_may_be_late() -> None:
    stage = day(Start)
    signed, start = _planned(stage)
    stage.event(MediaStored(MEDIA.digest))
    stage.wait(700)
    stage.began(programme(signed, start))
    stage.wait(1)
    assert stage.broken == set()


def test_sound_that_the_agent_was_not_told_of_is_not_due() -> None:
    """It is on the card already when something else is decided; the word of it comes in the next moment."""
    stage = day(Ladder)
    stage.event(MediaLost(MEDIA.digest))
    _planned(stage)
    stage.wait(4000)
    assert stage.broken == set()
    stage.event(MediaStored(MEDIA.digest))
    for _ in range(5):
        stage.wait(1000)
    assert stage.broken == {"gap"}


def test_item_does_not_come_back_when_the_hour_is_set_back_over_its_end() -> None:
    stage = day(Ladder)
    signed, start = _planned(stage, in_s=1)
    output = programme(signed, start)
    stage.began(output)
    stage.wait(60_000)
    stage.ended(output, EndReason.SOURCE_FAILED)
    stage.believe(error_ms=HOUR_MS)
    stage.wait(1000)
    stage.believe()
    for _ in range(10):
        stage.wait(1000)
    assert stage.broken == set()


def test_two_sounds_at_once_are_found() -> None:
    stage = day(Start)
    signed, start = _planned(stage)
    stage.began(programme(signed, start))
    stage.began(programme(signed, start, name="other"))
    assert stage.broken == {"mixing"}


def test_alert_ducks_for_the_time_of_its_tone() -> None:
    stage = day(Start)
    signed, start = _planned(stage)
    alert = stage.alert()
    stage.began(programme(signed, start))
    stage.began(_output(alert))
    stage.wait(4000)
    assert stage.broken == set()
    stage.wait(2000)
    assert stage.broken == {"mixing"}


def test_item_goes_on_where_it_was_interrupted() -> None:
    stage = day(Once)
    signed, start = _planned(stage)
    stage.began(programme(signed, start))
    stage.wait(100_000)
    stage.ended(programme(signed, start), EndReason.INTERRUPTED)
    stage.wait(20_000)
    stage.began(programme(signed, start))
    assert stage.broken == set()


@pytest.mark.parametrize(("moved_ms", "broken"), [(-15_000, set()), (0, {"once"})])
def test_item_goes_on_earlier_after_a_cut_only_if_the_hour_was_set_back(moved_ms: int, broken: set[str]) -> None:
    stage = day(Once)
    signed, start = _planned(stage)
    stage.believe(15_000)
    stage.began(programme(signed, start))
    stage.wait(100_000)
    stage.cut()
    stage.boot(*stage.grants, signed)
    stage.believe(15_000 + moved_ms)
    stage.began(programme(signed, start, origin=WallMs(start + 15_000 + moved_ms)))
    assert stage.broken == broken


@pytest.mark.parametrize(("reason", "again_ms"), [(EndReason.COMPLETE, 600_000), (EndReason.INTERRUPTED, 100_000)])
def test_item_begins_anew(reason: EndReason, again_ms: int) -> None:
    stage = day(Once)
    signed, start = _planned(stage)
    stage.began(programme(signed, start))
    stage.wait(again_ms)
    stage.ended(programme(signed, start), reason)
    stage.wait(1000)
    stage.began(programme(signed, start, origin=WallMs(stage.now)))
    assert stage.broken == {"once"}


def test_item_may_begin_anew_after_a_power_cut_by_its_policy() -> None:
    stage = day(Once)
    signed, start = _planned(stage, catch_up=CatchUp.RESTART)
    stage.began(programme(signed, start))
    stage.wait(100_000)
    stage.cut()
    stage.boot(*stage.grants, signed)
    stage.believe()
    stage.began(programme(signed, start, origin=stage.now))
    assert stage.broken == set()


def _speech(stage: Stage) -> tuple[Signed, LiveOutput]:
    session = LiveSession(
        scope=HOME,
        id="12" * 16,
        sequence=9,
        issued=stage.now,
        expires=WallMs(stage.now + 600_000),
        bulletin_class=BulletinClass.PRIORITY,
        key=stage.offices.key("live").public,
        targets=(HOME,),
    )
    signed = stage.sign(Kind.LIVE_SESSION, session)
    return signed, LiveOutput(Rung.LIVE_PRIORITY, signed.envelope.digest, session.id)


def _say(stage: Stage, counter: int, *, key: str = "live") -> None:
    bare = LiveSegment("12" * 16, counter, 1000, b"\0\3abc", b"").signed_bytes()
    stage.event(LiveSegmentReceived(bare + stage.offices.key(key).sign(bare)))


def test_live_session_sounds_while_it_flows() -> None:
    stage = day(Live, Ladder)
    signed, output = _speech(stage)
    stage.give(stage.rules_of_the_horn(), signed)
    for second in range(10):
        _say(stage, second)
        stage.wait(500)
        if second == 1:
            stage.began(output)
        stage.wait(500)
    assert stage.broken == set()


@pytest.mark.parametrize(("key", "counter"), [("stranger", 50), ("live", 3)])
def test_false_segments_keep_a_session_on_the_air(key: str, counter: int) -> None:
    stage = day(Live)
    signed, output = _speech(stage)
    stage.give(stage.rules_of_the_horn(), signed)
    for second in range(5):
        _say(stage, second)
        stage.wait(1000)
    stage.began(output)
    for _ in range(6):
        _say(stage, counter, key=key)
        stage.wait(1000)
    assert stage.broken == {"live"}


def test_live_session_that_flows_is_silent() -> None:
    stage = day(Ladder)
    signed, _ = _speech(stage)
    stage.give(stage.rules_of_the_horn(), signed)
    for second in range(8):
        _say(stage, second)
        stage.wait(1000)
    assert stage.broken == {"gap"}


def test_session_returns_too_soon() -> None:
    stage = day(Live)
    signed, output = _speech(stage)
    stage.give(stage.rules_of_the_horn(), signed)
    _say(stage, 0)
    stage.began(output)
    stage.wait(2500)
    stage.ended(output, EndReason.SOURCE_FAILED)
    _say(stage, 1)
    stage.wait(100)
    stage.began(output)
    assert stage.broken == {"live"}
    assert MEDIA.duration_ms
