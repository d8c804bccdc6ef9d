"""Faults that were found around FM, the clock, memory and the disk, each named after what a user would say."""

from __future__ import annotations

import pytest

from edge.core.effects import DeleteMedia
from edge.core.events import (
    AttestationReceived,
    ClockRead,
    ClockSource,
    MediaFailed,
)
from edge.core.output import FmOutput, Rung, Silence
from edge.core.plan import MARKS_MAX, mark
from edge.core.registers import pack, unpack
from edge.core.state import Progress
from edge.core.trust_state import SequenceWindow
from edge.core.turn import Turn
from protocol.audible_config import Fallback, Window
from protocol.bulletin import Weekly
from protocol.clock import MonoMs, WallMs
from protocol.document import Kind
from protocol.limits import GRANTS_HELD_MAX, INTEGER_MAX
from protocol.report import AsRun, EndReason, Fault, FaultCode, Standing
from protocol.schedule import Relay
from simulators.desk import Desk
from tests.edge.core.office import (
    COMMUNE,
    COMMUNE_KEY,
    PROVINCE,
    Office,
    attestation,
    grant_of,
    key,
    media,
    sign_document,
    sign_grant,
)
from tests.edge.core.test_fm_gate import FIRST, SECOND, fallback, fm_fault, fm_spans, relay
from tests.edge.core.test_ladder import SESSION_KEY
from tests.edge.core.test_live import talk
from tests.edge.core.test_programme import played, standings
from tests.edge.core.test_trust import refusals

pytestmark = pytest.mark.slow

NONCE = "0123456789abcdef" * 2


# FM


def test_tuner_that_fell_silent_left_the_gate_open(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    relay(office)
    desk.advance(20_000)
    desk.monitored = None
    desk.advance(5_000)
    assert isinstance(desk.sound.output, Silence)
    assert fm_fault(desk) == "97.1 MHz tuner_silent"


def test_relay_of_a_full_hour_lost_its_last_seconds(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, "A1B2")
    start = desk.wall + 10_000
    office.configure(fm_session_ms_max=60_000)
    office.publish(office.item("tiep-am", 10_000, content=Relay(97_100, 60_000, "A1B2")))
    desk.advance(100_000)
    assert fm_spans(desk) == [(start, start + 60_000, 97_100)]
    assert not any(one.code is FaultCode.FM_REFUSED for one in desk.reports(Fault))


def test_gate_opened_without_identity_served_a_slot_that_names_one(desk: Desk, office: Office) -> None:
    desk.signals[97_100] = (50, None)
    desk.reachable = frozenset()
    office.configure(fm_stations=(SECOND, FIRST), fm_windows=(Window(0, 86_400),), fallback=Fallback.FM)
    desk.signals[102_300] = (50, None)
    slot = office.item("tiep-am", 30_000, content=Relay(102_300, 60_000, "A1B2"))
    office.publish(office.item("mat", 0, duration_ms=1_200_000), slot)
    desk.advance(25_000)
    assert desk.sound.output.rung is Rung.FM_FALLBACK
    desk.advance(30_000)
    assert not any(one.rung is Rung.FM_SLOT for _, _, one in desk.sound.spans)
    assert fm_fault(desk) == "102.3 MHz identity_missing"


def test_refused_relay_never_said_that_nobody_heard_it(desk: Desk, office: Office) -> None:
    relay(office)
    desk.advance(200_000)
    assert standings(desk, "tiep-am") == [Standing.READY, Standing.UNHEARD]


def test_relay_from_above_that_is_not_obeyed_was_shown_as_ready(desk: Desk, office: Office) -> None:
    office.publish(office.item("tinh", 10_000, content=Relay(97_100, 60_000)), scope=PROVINCE)
    desk.advance(100_000)
    assert standings(desk, "tinh") == []


def test_broken_tuner_sound_goes_to_the_next_station(desk: Desk, office: Office) -> None:
    desk.signals = {97_100: (60, "A1B2"), 102_300: (45, None)}
    fallback(office, FIRST, SECOND)
    desk.advance(10_000)
    desk.break_source()
    desk.advance(10_000)
    assert isinstance(desk.sound.output, FmOutput)
    assert desk.sound.output.frequency_khz == 102_300


def test_break_of_fm_that_is_already_left_bars_nothing(desk: Desk, office: Office) -> None:
    from edge.core import fm_gate

    turn = Turn(desk.state, desk.now())
    fm_gate.break_off(turn, 97_100)
    assert turn.state.fm.barred == {}


# Clock


@pytest.mark.parametrize("wall", [INTEGER_MAX, 4_102_444_800_001])
def test_clock_of_the_year_9999_stops_the_agent(office: Office, wall: int) -> None:
    desk = office.desk
    desk.cut_power(off_ms=0)
    desk.boot(clock=False)
    desk.send(AttestationReceived(attestation(NONCE, wall), NONCE, MonoMs(desk.mono)))
    desk.send(ClockRead(ClockSource.NTP, WallMs(wall)))
    desk.send(ClockRead(ClockSource.RTC, WallMs(wall)))
    assert desk.state.clock.attested is None and desk.state.clock.agreed is None


# Live


def test_stalled_session_was_logged_as_complete(desk: Desk, office: Office) -> None:
    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 5)
    desk.advance(5_000)
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.SOURCE_FAILED]


def test_session_that_says_goodbye_is_complete(desk: Desk, office: Office) -> None:
    from edge.core.events import LiveSegmentReceived
    from protocol.live import LiveSegment

    session = office.live(SESSION_KEY)
    talk(desk, session, 0, 5)
    bare = LiveSegment(session.id, 9, 200, b"", b"")
    signed = LiveSegment(session.id, 9, 200, b"", SESSION_KEY.sign(bare.signed_bytes()))
    desk.send(LiveSegmentReceived(signed.pack()))
    desk.advance(2_000)
    assert [one.end_reason for one in desk.reports(AsRun)] == [EndReason.COMPLETE]


# Memory and disk


def test_disk_that_old_programmes_filled_never_took_the_new_one(desk: Desk, office: Office) -> None:
    office.publish(office.item("cu", 600_000))
    desk.advance(1_000)
    desk.reachable = frozenset()
    office.publish(office.item("moi", 600_000))
    desk.send(MediaFailed(media("moi").digest, damaged=False, full=True))
    assert DeleteMedia(media("cu").digest) in desk.effects


def test_download_that_nothing_names_any_more_goes_on(desk: Desk, office: Office) -> None:
    desk.reachable = frozenset()
    office.publish(office.item("bo", 600_000))
    desk.send(MediaFailed(media("bo").digest, damaged=True))
    office.publish()
    assert DeleteMedia(media("bo").digest) in desk.effects
    assert (desk.state.fetching, desk.state.damaged_media) == (frozenset(), frozenset())


def test_daily_programme_fills_the_memory_with_marks(desk: Desk, office: Office) -> None:
    when = Weekly((1, 2, 3, 4, 5, 6, 7), 12 * 3600, "2020-01-01", "2099-12-31")
    office.publish(office.item("hang-ngay", 0, when=when, duration_ms=1000))
    desk.advance(86_400_000)
    marks = len(desk.state.told) + len(desk.state.announced)
    desk.advance(2 * 86_400_000)
    assert len(played(desk)) == 3
    assert len(desk.state.told) == 1
    assert len(desk.state.announced) <= marks + 2 <= 128


def test_more_marks_than_the_registers_hold_cost_the_high_waters(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 60_000))
    plan = desk.state.plan
    assert plan is not None
    many = {f"vn#x@{number}": Progress(WallMs(INTEGER_MAX), WallMs(1)) for number in range(MARKS_MAX)}
    turn = Turn(desk.state, desk.now())
    turn.change(progress=many)
    mark(turn, plan.occurrences[0], Progress(WallMs(INTEGER_MAX)))
    assert len(turn.state.progress) == MARKS_MAX
    sequences = {f"vn|{number}": SequenceWindow(1, (1,)) for number in range(1000)}
    from dataclasses import replace

    turn.change(trust=replace(turn.state.trust, sequences=sequences))
    assert unpack(desk.state, pack(turn.state)).progress == turn.state.progress


def test_new_operator_is_refused_because_of_expired_ones(desk: Desk, office: Office) -> None:
    soon = WallMs(desk.wall + 1000)
    held = len(desk.state.trust.grants)
    for number in range(GRANTS_HELD_MAX - held):
        office.give(sign_grant(grant_of(COMMUNE, (COMMUNE_KEY,), holder=f"h{number}", expires=soon)))
    desk.advance(2_000)
    office.give(sign_grant(grant_of(COMMUNE, (key("new"),), holder="moi")))
    assert refusals(desk) == []
    assert len(desk.state.trust.grants) == held + 1
    assert len([name for name in desk.stored if name.startswith("grant/")]) == held + 1


def test_large_schedule_that_came_before_its_grant_is_lost(desk: Desk, office: Office) -> None:
    fresh = key("fresh")
    items = [office.item(f"tin-{number}", 10_000) for number in range(60)]
    office.give(sign_document(Kind.SCHEDULE, office.schedule(*items), fresh))
    office.give(sign_grant(grant_of(COMMUNE, (fresh,), holder="moi")))
    desk.advance(15_000)
    assert desk.sound.output.rung is Rung.ORDINARY


def test_waiting_documents_are_bounded_by_their_size(desk: Desk, office: Office) -> None:
    items = [office.item(f"tin-{number}", 10_000) for number in range(800)]
    for _ in range(12):
        office.give(sign_document(Kind.SCHEDULE, office.schedule(*items), key("stranger")))
    assert sum(len(data) for data, _ in desk.state.trust.orphans) <= 2 * 1024 * 1024


# A thousand items


def test_thousand_items_are_looked_at_once(desk: Desk, office: Office) -> None:
    """What is over is not looked at again; the time itself is measured by the bench, not here."""
    when = [Weekly((1, 2, 3, 4, 5, 6, 7), number * 86, "2020-01-01", "2099-12-31") for number in range(1000)]
    office.publish(*(office.item(f"i{n}", 0, when=one, duration_ms=70_000) for n, one in enumerate(when)))
    plan = desk.state.plan
    assert plan is not None
    assert len([one for one in plan.open if one.start <= desk.wall]) <= 2
    assert len(plan.occurrences) > 1000
