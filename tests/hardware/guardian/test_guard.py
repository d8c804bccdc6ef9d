"""The pure decisions: clock, gate and guard, in made-up time."""

from __future__ import annotations

from hardware.guardian import gate
from hardware.guardian.gate import FmGate
from hardware.guardian.guard import GOOD_BEATS, HOLD_DOWN_MS, LEAD_IN_MS, SILENT_MS_MAX, Guard
from hardware.guardian.message import COMPUTER, FM, SILENCE, WISH_AMPLIFIER, WISH_FM
from hardware.guardian.plan import Plan
from hardware.guardian.relay import Relay
from hardware.guardian.wall_clock import WallClock

WALL = 1_800_000_000_000
HOUR = 3_600_000
KHZ, OTHER_KHZ, PI = 99_900, 103_500, 0xA201
PLAN = Plan(1, [(WALL - HOUR, WALL + HOUR)], [(KHZ, PI), (OTHER_KHZ, None)], session_ms_max=600_000)


class Life:
    """A guard whose tuner hears what `air` says: frequency to (dBµV, identity)."""

    def __init__(self, *, plan: Plan | None = PLAN) -> None:
        self.now = 0
        self.guard = Guard(0, has_tuner=True)
        self.guard.arm(plan)
        self.air: dict[int, tuple[int, int | None]] = {KHZ: (50, PI)}
        self.sources = [SILENCE]

    def pass_ms(self, duration: int, *, beats: bool = False, wishes: int = WISH_AMPLIFIER) -> None:
        for _ in range(duration // 10):
            self.now += 10
            if beats and self.now % 500 == 0:
                self.guard.beat(self.now, wishes, WALL + self.now)
            if self.now % 500 == 250 and self.guard.tune_khz is not None:
                rssi, pi = self.air.get(self.guard.tune_khz, (6, None))
                self.guard.reading(self.now, self.guard.tune_khz, rssi, pi)
            self.guard.turn(self.now)
            if self.guard.source != self.sources[-1]:
                self.sources.append(self.guard.source)


def test_relay_is_given_after_three_beats() -> None:
    guard = Guard(0)
    for count in range(1, GOOD_BEATS + 1):
        guard.turn(count * 500)
        assert guard.source == SILENCE
        guard.beat(count * 500, 0, None)
    guard.turn(GOOD_BEATS * 500)
    assert guard.source == COMPUTER and not guard.amplifier


def test_beats_too_far_apart_do_not_count() -> None:
    guard = Guard(0)
    for count in range(1, 10):
        guard.beat(count * 1600, 0, None)
        guard.turn(count * 1600)
    assert guard.source == SILENCE


def test_late_beat_keeps_the_relay() -> None:
    life = Life()
    life.pass_ms(3000, beats=True)
    life.pass_ms(SILENT_MS_MAX - 10)
    life.guard.beat(life.now, WISH_AMPLIFIER, None)
    life.pass_ms(SILENT_MS_MAX - 10)
    assert life.guard.source == COMPUTER


def test_wish_is_no_proof_of_life() -> None:
    life = Life(plan=None)
    life.pass_ms(3000, beats=True)
    for _ in range(10):
        life.guard.wish(WISH_AMPLIFIER)
        life.pass_ms(500)
    assert life.guard.source == SILENCE and not life.guard.amplifier


def test_living_computer_may_ask_for_fm() -> None:
    life = Life()
    life.pass_ms(3000, beats=True, wishes=WISH_AMPLIFIER | WISH_FM)
    assert life.guard.source == FM
    life.pass_ms(1000, beats=True)
    assert life.guard.source == COMPUTER


def test_amplifier_leads_the_station() -> None:
    life = Life()
    life.pass_ms(3000, beats=True, wishes=0)
    switched = None
    while life.guard.source != FM:
        life.pass_ms(10)
        switched = life.now if life.guard.amplifier and switched is None else switched
        assert life.now < 20_000
    assert switched is not None and life.now - switched >= LEAD_IN_MS


def test_returned_computer_holds_fm_down() -> None:
    life = Life()
    life.pass_ms(3000, beats=True)
    life.pass_ms(10_000)
    assert life.guard.source == FM
    life.pass_ms(5000, beats=True)
    assert life.guard.source == COMPUTER
    life.pass_ms(HOLD_DOWN_MS - 10_000)
    assert life.sources == [SILENCE, COMPUTER, FM, COMPUTER, SILENCE]
    life.pass_ms(15_000)
    assert life.sources[-1] == FM


def test_cap_of_a_session_goes_on_to_the_next_station() -> None:
    life = Life()
    life.air[OTHER_KHZ] = (45, None)
    life.pass_ms(3000, beats=True)
    life.pass_ms(590_000)
    assert life.guard.tune_khz == KHZ and life.guard.source == FM
    life.pass_ms(30_000)
    assert life.guard.tune_khz == OTHER_KHZ and life.guard.source == FM


def test_window_that_ends_shuts_fm() -> None:
    life = Life(plan=Plan(1, [(WALL, WALL + 20_000)], [(KHZ, PI)]))
    life.pass_ms(3000, beats=True)
    life.pass_ms(12_000)
    assert life.guard.source == FM
    life.pass_ms(6000)
    assert life.guard.source == SILENCE and not life.guard.amplifier


def test_next_look_is_never_past() -> None:
    life = Life()
    for beats in (True, False, True):
        for _ in range(300):
            life.pass_ms(100, beats=beats)
            assert life.guard.next_look(life.now) > life.now


def test_gate_opens_after_two_good_readings_with_the_right_name() -> None:
    one = FmGate()
    one.turn(0, PLAN)
    one.observe(500, PLAN, KHZ, 40, None)
    one.observe(1000, PLAN, KHZ, 40, None)
    assert one.opened_ms is None
    one.observe(1500, PLAN, KHZ, 40, PI)
    assert one.opened_ms == 1500


def test_gate_refuses_another_name_for_ten_minutes() -> None:
    one = FmGate()
    one.turn(0, PLAN)
    one.observe(500, PLAN, KHZ, 60, 0x3F5A)
    assert (one.frequency_khz, one.refused) == (OTHER_KHZ, gate.IDENTITY)
    one.shut()
    one.turn(599_000, PLAN)
    assert one.frequency_khz == OTHER_KHZ
    one.shut()
    one.turn(601_000, PLAN)
    assert one.frequency_khz == KHZ


def test_gate_shuts_when_the_name_is_heard_no_more() -> None:
    one = FmGate()
    one.turn(0, PLAN)
    for at in range(0, 2000, 500):
        one.observe(at, PLAN, KHZ, 40, PI)
    for at in range(2000, 18_000, 500):
        one.observe(at, PLAN, KHZ, 40, None)
        one.turn(at, PLAN)
    assert (one.frequency_khz, one.refused) == (OTHER_KHZ, gate.NO_IDENTITY)


def test_gate_shuts_when_the_tuner_says_nothing() -> None:
    one = FmGate()
    one.turn(0, PLAN)
    for at in range(0, 2000, 500):
        one.observe(at, PLAN, KHZ, 40, PI)
    assert one.opened_ms is not None
    one.turn(5000, PLAN)
    assert one.refused == gate.NO_READING


def test_told_hour_is_believed_when_there_is_none() -> None:
    clock = WallClock()
    assert clock.wall_ms(1000) is None
    assert clock.told(1000, WALL)
    assert clock.wall_ms(2000) == WALL + 1000


def test_hour_before_the_floor_is_refused() -> None:
    clock = WallClock(floor_ms=WALL)
    assert not clock.told(0, WALL - 120_000)
    assert clock.wall_ms(0) is None and clock.refused


def test_hours_that_creep_are_refused() -> None:
    clock = WallClock()
    clock.told(0, WALL)
    believed = [clock.told(now, WALL + now * 2) for now in range(0, 200_000, 1000)]
    assert believed.index(False) == 61
    assert clock.wall_ms(200_000) <= WALL + 261_000  # type: ignore[operator]


def test_slow_crystal_is_followed_for_weeks() -> None:
    clock = WallClock()
    day = 24 * HOUR
    assert all(clock.told(now, WALL + now + now * 30 // 1_000_000) for now in range(0, 60 * day, HOUR))


def test_chip_that_agrees_moves_the_clock() -> None:
    clock = WallClock()
    clock.told(0, WALL)
    assert not clock.told(1000, WALL + HOUR)
    assert clock.told(1000, WALL + HOUR, WALL + HOUR + 5000)
    assert clock.told(2000, WALL + HOUR + 1000)


def test_relay_never_makes_two_contacts_at_once() -> None:
    relay = Relay()
    seen: list[int] = []
    for now, source in ((0, COMPUTER), (100, FM), (200, COMPUTER), (300, SILENCE)):
        for step in range(0, 100, 5):
            fm = relay.fm
            relay.turn(now + step, source)
            assert relay.fm == fm or not relay.sound, "the choice moves only while nothing is let through"
            if not seen or seen[-1] != relay.through:
                seen.append(relay.through)
    assert seen == [COMPUTER, SILENCE, FM, SILENCE, COMPUTER, SILENCE]
