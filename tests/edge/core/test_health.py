"""Faults begin and end; the status tells; strangers in the horn are muted (behaviour.md, section 7)."""

from __future__ import annotations

import pytest

from edge.core.effects import MuteAmplifier
from edge.core.events import (
    BoardPart,
    CardChanged,
    LevelMeasured,
    LinkChanged,
    PartJudged,
    SoundEnded,
    SoundStarted,
    StateSaveFailed,
    TalkPressed,
    Ticked,
)
from hardware.interfaces import Part
from protocol.report import AsRun, EndReason, Fault, FaultCode, Receipt, Standing, Status
from simulators.desk import Desk
from tests.edge.core.office import Office


def faults(desk: Desk) -> list[tuple[FaultCode, bool]]:
    return [(one.code, one.ended is not None) for one in desk.reports(Fault)]


def test_silence_where_sound_is_due_is_told_in_time(desk: Desk, office: Office) -> None:
    desk.sound.level_cdb = -12_000
    office.publish(office.item("tin", 5000, duration_ms=120_000))
    desk.advance(5000 + 6000)
    assert faults(desk) == [(FaultCode.SOUND_MISSING, False)]
    desk.sound.level_cdb = -1800
    desk.advance(2000)
    assert faults(desk)[-1] == (FaultCode.SOUND_MISSING, True)


def test_gap_of_an_alert_is_not_silence(desk: Desk, office: Office) -> None:
    office.alarm(gap_ms=30_000)
    desk.sound.level_cdb = -12_000
    desk.advance(34_000)
    assert faults(desk) == []
    desk.advance(4000)
    assert faults(desk) == [(FaultCode.SOUND_MISSING, False)]


def test_silent_microphone_is_no_fault(desk: Desk, office: Office) -> None:
    desk.sound.level_cdb = -12_000
    desk.send(TalkPressed(False))
    desk.advance(20_000)
    assert faults(desk) == []


def test_strange_sound_is_muted_and_told(desk: Desk, office: Office) -> None:
    desk.advance(20_000)
    for _ in range(4):
        desk.advance(1000)
        desk.send(LevelMeasured(desk.wall, -12_000, -2000))
    assert MuteAmplifier(True) in desk.effects
    assert faults(desk) == [(FaultCode.SOUND_UNEXPECTED, False)]
    desk.send(LevelMeasured(desk.wall, -12_000, -9000))
    office.alarm()
    assert desk.effects.count(MuteAmplifier(False)) == 1
    assert faults(desk)[-1] == (FaultCode.SOUND_UNEXPECTED, True)


def test_amplifier_that_stays_silent_is_unheard(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000))
    desk.advance(6000)
    output = desk.state.sound.output
    desk.send(SoundEnded(output.key, desk.wall, desk.wall, -1800, EndReason.COMPLETE, output_level_cdb=-9000))
    standings = [one.standing for one in desk.reports(Receipt) if one.item == "tin"]
    assert standings[-1] is Standing.UNHEARD


def test_lost_card_is_a_fault(desk: Desk) -> None:
    desk.send(CardChanged(False))
    desk.send(CardChanged(True))
    assert faults(desk) == [(FaultCode.CARD_LOST, False), (FaultCode.CARD_LOST, True)]


def test_full_disk_is_a_fault_for_a_while(desk: Desk) -> None:
    desk.send(StateSaveFailed("no space"))
    desk.advance(130_000)
    assert faults(desk) == [(FaultCode.STORAGE_FULL, False), (FaultCode.STORAGE_FULL, True)]


def test_heartbeat_carries_the_levels(desk: Desk, office: Office) -> None:
    desk.send(LinkChanged(True))
    office.publish(office.item("tin", 5000, duration_ms=120_000))
    desk.advance(70_000)
    statuses = [one for one in desk.reports(Status) if isinstance(one, Status)]
    assert sum(len(one.levels) for one in statuses) >= 60
    assert statuses[-1].sounding == "tin"
    assert (statuses[-1].media_held, statuses[-1].media_wanted) == (1, 1)
    assert statuses[-1].in_force[0].kind == "schedule"


def test_no_status_while_the_link_is_down(desk: Desk) -> None:
    desk.advance(200_000)
    assert desk.reports(Status) == []


def test_status_says_what_sounds(desk: Desk, office: Office) -> None:
    desk.send(LinkChanged(True))
    desk.signals[97_100] = (50, None)
    from protocol.schedule import Relay

    office.publish(office.item("tiep-am", 10_000, content=Relay(97_100, 60_000)))
    desk.advance(15_000)
    alert = office.alarm()
    desk.advance(1000)
    said = [one.sounding for one in desk.reports(Status) if isinstance(one, Status)]
    assert "97.1 MHz" in said and alert.id in said and None in said


def test_reports_of_unknown_outputs_are_ignored(desk: Desk) -> None:
    desk.send(SoundStarted("programme/unknown", desk.wall))
    desk.send(SoundEnded("programme/unknown", desk.wall, desk.wall, -1800, EndReason.COMPLETE))
    assert desk.reports(AsRun) == []


def test_end_of_a_forgotten_occurrence_is_still_logged(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000))
    desk.advance(20_000)
    office.publish()
    desk.advance(1000)
    assert [one.item for one in desk.reports(AsRun)] == ["tin"]


def test_tick_without_reason_changes_nothing(desk: Desk) -> None:
    before = desk.state
    decision = desk.send(Ticked())
    assert decision.effects == ()
    assert desk.state == before


def test_link_that_goes_down_and_failed_fetch_are_calm(desk: Desk, office: Office) -> None:
    from edge.core.events import MediaFailed
    from tests.edge.core.office import media

    desk.send(LinkChanged(True))
    desk.send(LinkChanged(False))
    desk.send(MediaFailed(media("tin").digest, damaged=False))
    assert faults(desk) == []


def test_schedule_long_past_its_end_is_not_planned(desk: Desk, office: Office) -> None:
    from protocol.clock import WallMs

    office.publish(office.item("cu", -3_600_000), expires=WallMs(desk.wall + 1000))
    desk.advance(10 * 3_600_000)
    assert desk.state.plan is not None
    assert desk.state.plan.occurrences == ()


def test_end_told_while_no_clock_is_believed(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 5000))
    desk.advance(10_000)
    key = desk.state.sound.output.key
    desk.offset -= 30 * 86_400_000
    desk.cut_power(off_ms=0)
    desk.boot(clock=False)
    desk.send(SoundEnded(key, desk.wall, desk.wall, -1800, EndReason.COMPLETE))
    assert desk.state.plan is None


PARTS = {
    BoardPart.SPEAKER_LINE: FaultCode.LINE_FAULT,
    BoardPart.POWER: FaultCode.POWER_LOW,
    BoardPart.GUARDIAN: FaultCode.GUARDIAN_LOST,
    BoardPart.TUNER: FaultCode.TUNER_LOST,
    BoardPart.CLOCK_CHIP: FaultCode.CLOCK_CHIP_LOST,
    BoardPart.METER: FaultCode.METER_LOST,
}


@pytest.mark.parametrize("part", BoardPart)
def test_sick_part_is_told_until_it_is_well(desk: Desk, part: BoardPart) -> None:
    desk.send(PartJudged(part, healthy=True))
    assert desk.reports(Fault) == []
    desk.send(PartJudged(part, healthy=False, detail="12 ohm, 31 expected"))
    desk.send(PartJudged(part, healthy=False, detail="11 ohm, 31 expected"))
    desk.send(PartJudged(part, healthy=True))
    told = [(one.code, one.detail, one.ended is not None) for one in desk.reports(Fault)]
    assert told == [(PARTS[part], "12 ohm, 31 expected", False), (PARTS[part], "12 ohm, 31 expected", True)]


def test_sick_part_without_a_word_is_named(desk: Desk) -> None:
    desk.send(PartJudged(BoardPart.METER, healthy=False))
    assert [one.detail for one in desk.reports(Fault)] == ["meter"]


def test_parts_are_those_of_the_board() -> None:
    assert {one.value for one in BoardPart} == {one.value for one in Part}
