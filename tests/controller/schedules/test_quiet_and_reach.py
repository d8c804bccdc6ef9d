"""Quiet hours and reach, as told before anything is signed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.schedules.quiet import first_disturbance, quiet_hours_at, spans
from controller.schedules.reach import Reach, reach
from protocol.audible_config import DEFAULT_QUIET_HOURS, Window, in_any
from protocol.clock import WallMs, wall_at
from protocol.units import UnitPath

DAY = date(2026, 11, 23)
COMMUNE, OTHER = UnitPath("vn/92/31498"), UnitPath("vn/92/31500")
CLUSTERS = tuple(UnitPath(f"{COMMUNE}/c{number:02}") for number in range(8))


def at(hour: int, minute: int = 0) -> WallMs:
    return wall_at(DAY, hour * 3600 + minute * 60)


def test_nearest_signed_hours_decide_as_a_whole() -> None:
    province = (Window(0, 3600),)
    signed = {UnitPath("vn/92"): province, OTHER: ()}
    assert quiet_hours_at(COMMUNE, signed) == province
    assert quiet_hours_at(OTHER, signed) == ()
    assert quiet_hours_at(COMMUNE, {}) == DEFAULT_QUIET_HOURS


@pytest.mark.parametrize("hour", [21, 23, 0, 5])
def test_start_within_the_night_disturbs(hour: int) -> None:
    found = first_disturbance([at(hour)], 1000, places=[COMMUNE], signed={})
    assert found is not None
    assert found.quiet_begin <= found.start < found.quiet_end


def test_running_into_the_night_disturbs() -> None:
    found = first_disturbance([at(20, 50)], 15 * 60_000, places=[COMMUNE], signed={})
    assert found is not None
    assert found.quiet_begin == at(21)


def test_ending_as_the_night_begins_is_fine() -> None:
    assert first_disturbance([at(20, 45)], 15 * 60_000, places=[COMMUNE], signed={}) is None


def test_one_of_two_communes_is_quiet() -> None:
    signed = {OTHER: (Window(12 * 3600, 14 * 3600),)}
    found = first_disturbance([at(13)], 1000, places=[COMMUNE, OTHER], signed=signed)
    assert found is not None
    assert found.place == OTHER


windows = st.builds(
    lambda begin, length, days: Window(begin, (begin + length) % 86_400, tuple(sorted(days))),
    st.integers(0, 86_399),
    st.integers(1, 86_398),
    st.sets(st.integers(1, 7), max_size=3),
)


@given(windows, st.integers(0, 7 * 86_400), st.integers(1, 120))
def test_spans_agree_with_the_windows(window: Window, second: int, minutes: int) -> None:
    begin = WallMs(wall_at(DAY, 0) + second * 1000)
    end = WallMs(begin + minutes * 60_000)
    touched = any(in_any((window,), WallMs(instant)) for instant in range(begin, end, 60_000))
    if touched:
        assert list(spans([window], begin, end))
    for opens, closes in spans([window], begin, end):
        assert window.contains(opens)
        assert window.contains(WallMs(closes - 1))


def test_reach_of_a_commune() -> None:
    assert reach([COMMUNE], CLUSTERS, {COMMUNE: 12_345}) == Reach(8, 12_000, (COMMUNE,))


def test_reach_of_half_a_commune() -> None:
    assert reach(CLUSTERS[:4], CLUSTERS, {COMMUNE: 12_345}).people == 6200


def test_reach_without_population() -> None:
    assert reach([COMMUNE], CLUSTERS, {}) == Reach(8, None, (COMMUNE,))


def test_reach_of_nobody() -> None:
    assert reach([OTHER], CLUSTERS, {OTHER: 5000}) == Reach(0, None)
