"""What the guardian is armed with: signed windows of the next eight days, less quiet hours and stops."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core import guarding
from edge.core.at_hand import StopMark
from edge.core.effects import ArmGuardian, SaveState
from edge.core.guarding_plan import GUARDED_WINDOWS_MAX, GuardedStation, GuardingPlan
from protocol.audible_config import AudibleConfig, Fallback, Station, Window, in_any
from protocol.clock import DAY_MS, DAY_S, WallMs, wall_at
from protocol.units import UnitPath
from simulators.desk import Desk
from tests.edge.core.office import Office

HOUR = 3_600_000
MONDAY = date(2025, 11, 24)
MORNING = Window(5 * 3600, 7 * 3600)
STATIONS = (Station(97_100, "Một", "A1B2"), Station(102_300, "Hai"))


def wall_of(day: int, hour: float) -> WallMs:
    """An instant of the week that begins on Monday 24 November 2025."""
    return wall_at(date.fromordinal(MONDAY.toordinal() + day), round(hour * 3600))


def config(*windows: Window, quiet: tuple[Window, ...] = ()) -> AudibleConfig:
    return AudibleConfig(UnitPath("vn/92"), 1, WallMs(0), quiet, fm_windows=windows)


def spans(made: AudibleConfig, wall: WallMs, stop: StopMark | None = None) -> list[tuple[WallMs, WallMs]]:
    return [(one.begin, one.end) for one in guarding.windows_of(made, stop, wall)]


def plans(desk: Desk) -> list[GuardingPlan]:
    return [one.plan for one in desk.effects if isinstance(one, ArmGuardian)]


def arm(office: Office, **fields: Any) -> None:
    made: dict[str, Any] = {"fm_windows": (MORNING,), "fm_stations": STATIONS, "on_computer_dead": Fallback.FM}
    office.configure(**(made | fields))


def test_every_day_has_its_window() -> None:
    wanted = [(wall_of(day, 5), wall_of(day, 7)) for day in range(9)]
    assert spans(config(MORNING), wall_of(0, 4)) == wanted[:8]
    assert spans(config(MORNING), wall_of(0, 6)) == [*wanted[:8], (wall_of(8, 5), wall_of(8, 6))]
    assert spans(config(MORNING), wall_of(0, 7))[0] == wanted[1]


def test_window_on_chosen_days() -> None:
    weekend = Window(5 * 3600, 7 * 3600, days=(6, 7))
    assert spans(config(weekend), wall_of(0, 0)) == [(wall_of(day, 5), wall_of(day, 7)) for day in (5, 6)]


def test_window_past_midnight_began_yesterday() -> None:
    night = Window(22 * 3600, 2 * 3600, days=(7,))
    found = spans(config(night), wall_of(0, 1))
    assert found == [(wall_of(-1, 22), wall_of(0, 2)), (wall_of(6, 22), wall_of(7, 2))]


def test_windows_that_touch_are_one() -> None:
    found = spans(config(MORNING, Window(6 * 3600, 9 * 3600), Window(9 * 3600, 10 * 3600)), wall_of(0, 0))
    assert found[0] == (wall_of(0, 5), wall_of(0, 10)) and len(found) == 8


def test_window_inside_another_adds_nothing() -> None:
    found = spans(config(Window(0, 20 * 3600), MORNING), wall_of(0, 0))
    assert found[0] == (wall_of(0, 0), wall_of(0, 20))


def test_whole_days_are_one_window() -> None:
    wall = wall_of(0, 4)
    assert spans(config(Window(0, DAY_S)), wall) == [(wall_of(-1, 0), WallMs(wall + guarding.AHEAD_MS))]


def test_quiet_hours_are_cut_out() -> None:
    found = spans(config(Window(0, DAY_S), quiet=(Window(21 * 3600, 6 * 3600),)), wall_of(0, 12))
    assert found[:2] == [(wall_of(0, 6), wall_of(0, 21)), (wall_of(1, 6), wall_of(1, 21))]


def test_stop_is_cut_out() -> None:
    stop = StopMark(wall_of(0, 6), "panel")
    assert spans(config(MORNING), wall_of(0, 4), stop)[0] == (wall_of(0, 6), wall_of(0, 7))


@pytest.mark.slow
def test_plan_is_never_longer_than_the_guardian_can_hold() -> None:
    many = tuple(Window(hour * 3600, hour * 3600 + 60) for hour in range(16))
    found = spans(config(*many), wall_of(0, 0))
    assert len(found) == GUARDED_WINDOWS_MAX
    assert found == sorted(found)


windows = st.lists(
    st.tuples(st.integers(0, 47), st.integers(0, 48), st.lists(st.integers(1, 7), max_size=3, unique=True)).filter(
        lambda one: one[0] != one[1]
    ),
    max_size=3,
).map(lambda many: tuple(Window(begin * 1800, end * 1800, tuple(days)) for begin, end, days in many))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(windows, windows, st.integers(0, 8 * 48 - 1))
def test_plan_says_what_the_rules_say(fm: tuple[Window, ...], quiet: tuple[Window, ...], ahead: int) -> None:
    made, wall = config(*fm, quiet=quiet), wall_of(0, 3.25)
    found = guarding.windows_of(made, None, wall)
    at = WallMs(wall + ahead * HOUR // 2)
    if len(found) < GUARDED_WINDOWS_MAX:
        allowed = in_any(made.fm_windows, at) and not in_any(made.quiet_hours, at)
        assert any(one.begin <= at < one.end for one in found) is allowed
    assert all(one.end <= two.begin for one, two in pairwise(found))
    assert all(one.begin < one.end for one in found)


def test_policy_of_silence_arms_nothing_once(desk: Desk, office: Office) -> None:
    arm(office, on_computer_dead=Fallback.SILENCE)
    desk.advance(2 * DAY_MS)
    assert [one.windows for one in plans(desk)] == [(), ()]


def test_policy_of_fm_hands_everything_over(desk: Desk, office: Office) -> None:
    arm(office, rssi_floor_dbuv=35, fm_session_ms_max=60_000)
    plan = plans(desk)[-1]
    assert plan.stations == (GuardedStation(97_100, "A1B2"), GuardedStation(102_300))
    assert (plan.rssi_floor_dbuv, plan.session_ms_max, len(plan.windows)) == (35, 60_000, 8)
    assert isinstance(desk.decisions[-1].effects[0], SaveState)


def test_plan_is_renewed_while_time_passes(desk: Desk, office: Office) -> None:
    arm(office)
    before = len(plans(desk))
    desk.advance(DAY_MS + 600_000)
    assert len(plans(desk)) - before == 4
    versions = [one.version for one in plans(desk)]
    assert versions == sorted(set(versions))


def test_numbers_of_plans_survive_a_power_cut(desk: Desk, office: Office) -> None:
    arm(office)
    last = plans(desk)[-1].version
    desk.cut_power(off_ms=1000)
    desk.boot()
    assert plans(desk)[-1].version == last + 1
    assert plans(desk)[-1].windows


def test_nothing_is_handed_over_while_the_hour_is_not_believed(desk: Desk, office: Office) -> None:
    arm(office)
    before = len(plans(desk))
    desk.cut_power(off_ms=1000)
    desk.boot(clock=False)
    desk.advance(60_000)
    assert len(plans(desk)) == before, "the guardian keeps what it has"


def test_stop_in_force_is_told_and_ends(desk: Desk, office: Office) -> None:
    arm(office, fm_windows=(Window(0, DAY_S),))
    office.stop(600_000)
    until = desk.wall + 600_000
    assert plans(desk)[-1].windows[0].begin == until
    desk.advance(700_000)
    assert plans(desk)[-1].windows[0].begin < until


def test_device_without_a_fresh_word_does_not_speak_alone(desk: Desk, office: Office) -> None:
    arm(office, head_age_ms_max=3_600_000)
    assert plans(desk)[-1].windows
    desk.advance(3_700_000)
    assert plans(desk)[-1].windows == ()
    office.head()
    assert plans(desk)[-1].windows
