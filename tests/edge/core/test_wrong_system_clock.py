"""A computer without a battery clock: the system's hour is wrong, the believed one is right, and sound goes by it."""

from __future__ import annotations

from edge.core.effects import ShiftWall, SwitchOutput
from edge.core.events import AttestationReceived
from edge.core.output import ProgrammeOutput
from protocol.clock import MonoMs
from protocol.report import AsRun
from simulators.desk import Desk
from tests.edge.core.office import IDENTITY, Office, attestation

NONCE = "0123456789abcdef" * 2
YEAR_MS = 365 * 86_400_000


def test_programme_of_a_device_that_boots_in_last_year(desk: Desk, office: Office) -> None:
    start = desk.wall + 10_000
    office.publish(office.item("tin", 10_000, duration_ms=120_000))
    desk.advance(1000)
    desk.cut_power(off_ms=29_000)
    desk.offset -= YEAR_MS
    desk.boot(clock=False)
    desk.send(AttestationReceived(attestation(NONCE, desk.wall + YEAR_MS), NONCE, MonoMs(desk.mono)))
    desk.advance(200_000)
    spans = [(begin, end) for begin, end, output in desk.sound.spans if isinstance(output, ProgrammeOutput)]
    assert spans == [(start + 20_000, start + 120_000)]
    assert desk.reports(AsRun)[0].began == start + 20_000


def test_sound_path_knows_the_hour_before_it_is_told_to_sound(desk: Desk, office: Office) -> None:
    office.publish(office.item("tin", 10_000, duration_ms=120_000))
    desk.advance(1000)
    desk.cut_power(off_ms=29_000)
    desk.offset -= YEAR_MS
    desk.boot(clock=False)
    event = AttestationReceived(attestation(NONCE, desk.wall + YEAR_MS), NONCE, MonoMs(desk.mono))
    kinds = [type(effect) for effect in desk.send(event).effects]
    assert kinds.index(ShiftWall) < kinds.index(SwitchOutput)


def test_right_system_clock_is_left_alone() -> None:
    desk = Desk(IDENTITY)
    desk.boot()
    desk.advance(3_600_000)
    assert not any(isinstance(effect, ShiftWall) for effect in desk.effects)
