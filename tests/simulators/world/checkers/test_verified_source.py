"""Nothing is audible without a right to it, and what loses its right falls silent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.events import MessagePressed, StopPressed, TalkPressed, TalkReleased
from edge.core.output import AlertOutput, FmOutput, MessageOutput, MicrophoneOutput, Rung
from protocol.alert import Alert, Cancel
from protocol.audible_config import Fallback, Station, StoredMessage, Window
from protocol.clock import WallMs
from protocol.document import Kind
from simulators.world.checkers.verified_source import VerifiedSource
from simulators.world.office import Signed
from tests.simulators.world.checkers.stage import HOME, HOUR_MS, MEDIA, day, item, programme


def test_signed_item_sounds_rightly() -> None:
    stage = day(VerifiedSource)
    start = stage.now
    signed = stage.schedule(item(start))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.began(programme(signed, start))
    stage.wait(600_000)
    stage.ended(programme(signed, start))
    stage.wait(5000)
    assert stage.end() == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"document": "00" * 32},
        {"item": "other"},
        {"start": WallMs(0), "origin": WallMs(0)},
        {"media": replace(MEDIA, digest="cd" * 32)},
        {"rung": Rung.PRIORITY},
        {"scope": "vn/92/31000", "attenuation_cdb": 600},
    ],
)
def test_item_that_was_not_signed_like_that_is_found(changes: dict[str, object]) -> None:
    stage = day(VerifiedSource)
    start = stage.now
    signed = stage.schedule(item(start))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.began(replace(programme(signed, start), **changes))  # type: ignore[arg-type]
    stage.wait(3000)
    assert stage.broken


def test_item_may_not_begin_early_but_the_hour_may_be_set_back_while_it_sounds() -> None:
    stage = day(VerifiedSource)
    start = WallMs(stage.now + 30_000)
    signed = stage.schedule(item(start))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.wait(30_000)
    stage.began(programme(signed, start))
    stage.wait(5000)
    stage.believe(-40_000)
    stage.wait(3000)
    assert stage.broken == set()
    stage.ended(programme(signed, start))
    stage.began(programme(signed, start, origin=WallMs(start + 60_000)))
    stage.wait(3000)
    assert stage.broken == {"start"}


def test_item_goes_on_after_its_end() -> None:
    stage = day(VerifiedSource)
    start = stage.now
    signed = stage.schedule(item(start))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.began(programme(signed, start))
    stage.wait(606_000)
    assert stage.broken == {"verified_source"}


def test_deleted_item_goes_on() -> None:
    stage = day(VerifiedSource)
    start = stage.now
    signed = stage.schedule(item(start))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.began(programme(signed, start))
    stage.wait(10_000)
    stage.give(stage.schedule(version=2))
    stage.wait(3000)
    assert stage.broken == {"verified_source"}


def test_schedule_plays_without_confirmation() -> None:
    stage = day(VerifiedSource)
    signed = stage.schedule(item(WallMs(stage.now + 2 * HOUR_MS)))
    stage.give(stage.rules_of_the_horn(head_age_ms_max=HOUR_MS), signed)
    stage.wait(2 * HOUR_MS)
    stage.began(programme(signed, WallMs(stage.now - 1)))
    stage.wait(3000)
    assert "schedule_life" in stage.broken or "verified_source" in stage.broken


def _alert_output(signed: Signed, *, rung: Rung = Rung.EMERGENCY) -> AlertOutput:
    alert = signed.document
    assert isinstance(alert, Alert)
    return AlertOutput(
        signed.envelope.digest, alert.id, alert.tone, alert.tone_ms, alert.gap_ms, alert.parts, rung=rung
    )


def test_emergency_sounds_until_its_end() -> None:
    stage = day(VerifiedSource, hour=23)
    signed = stage.alert(minutes=5)
    stage.give(signed)
    stage.began(_alert_output(signed))
    stage.wait(299_000)
    stage.ended(_alert_output(signed))
    stage.wait(5000)
    assert stage.end() == set()


def test_emergency_goes_on_after_its_end() -> None:
    stage = day(VerifiedSource)
    signed = stage.alert(minutes=5)
    stage.give(signed)
    stage.began(_alert_output(signed))
    stage.wait(302_500)
    stage.wait(2000)
    assert stage.broken == {"emergency"}


def test_emergency_goes_on_after_its_cancel() -> None:
    stage = day(VerifiedSource)
    signed = stage.alert(minutes=5)
    stage.give(signed)
    stage.began(_alert_output(signed))
    stage.wait(10_000)
    stage.give(stage.sign(Kind.CANCEL, Cancel(HOME, "a1", stage.now, WallMs(stage.now + 60_000), (HOME,))))
    stage.wait(3000)
    assert stage.broken == {"emergency"}


def test_drill_is_aired_as_actual() -> None:
    stage = day(VerifiedSource)
    signed = stage.alert(Kind.ALERT_DRILL)
    stage.give(signed)
    stage.began(_alert_output(signed))
    stage.wait(3000)
    assert stage.broken == {"emergency"}


def test_microphone_needs_a_person() -> None:
    stage = day(VerifiedSource)
    stage.give(stage.rules_of_the_horn())
    output = MicrophoneOutput(Rung.MICROPHONE)
    stage.event(TalkPressed(False))
    stage.began(output)
    stage.wait(5000)
    assert stage.broken == set()
    stage.event(TalkReleased())
    stage.wait(3000)
    assert stage.broken == {"verified_source"}


def test_message_needs_its_button() -> None:
    stage = day(VerifiedSource)
    rules = stage.rules_of_the_horn(messages=(StoredMessage(1, "họp", MEDIA),))
    stage.give(rules)
    output = MessageOutput(Rung.MICROPHONE, rules.envelope.digest, 1, MEDIA, stage.mono)
    stage.event(MessagePressed(1))
    stage.wait(1)
    stage.began(output)
    stage.wait(3000)
    assert stage.broken == set()
    stage.ended(output)
    stage.wait(60_000)
    stage.began(replace(output, pressed=stage.mono))
    stage.wait(3000)
    assert stage.broken == {"verified_source"}


def test_programme_goes_on_after_the_stop_button() -> None:
    stage = day(VerifiedSource)
    start = stage.now
    signed = stage.schedule(item(start))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.began(programme(signed, start))
    stage.wait(10_000)
    stage.event(StopPressed())
    stage.wait(3000)
    assert stage.broken == {"stop"}


def test_programme_goes_on_into_quiet_hours() -> None:
    stage = day(VerifiedSource, hour=21)
    start = WallMs(stage.now + 55 * 60_000)
    signed = stage.schedule(item(start))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.wait(start - stage.now)
    stage.began(programme(signed, start))
    stage.wait(5 * 60_000 + 3000)
    stage.wait(3000)
    assert "quiet_hours" in stage.broken


def test_programme_sounds_by_an_hour_that_is_not_believed() -> None:
    stage = day(VerifiedSource)
    start = stage.now
    signed = stage.schedule(item(start))
    stage.give(stage.rules_of_the_horn(), signed)
    stage.cut()
    stage.boot(*stage.grants, signed)
    stage.began(programme(signed, start))
    stage.wait(3000)
    assert stage.broken == {"clock"}


@pytest.mark.parametrize(
    ("fallback", "hour", "broken"), [("fm", 8, set()), ("silence", 8, {"fm_gate"}), ("fm", 12, {"fm_gate"})]
)
def test_fallback_sounds_in_its_window_by_policy(fallback: str, hour: int, broken: set[str]) -> None:
    stage = day(VerifiedSource, hour=hour)
    stage.give(
        stage.rules_of_the_horn(
            fm_stations=(Station(97_300, "tỉnh"),),
            fm_windows=(Window(6 * 3600, 10 * 3600),),
            fallback=Fallback(fallback),
        )
    )
    stage.began(FmOutput(Rung.FM_FALLBACK, 97_300))
    stage.wait(3000)
    assert stage.broken == broken
