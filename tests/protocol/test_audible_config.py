from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.audible_config import DEFAULT_QUIET_HOURS, AudibleConfig, Station, StoredMessage, Window, in_any
from protocol.bulletin import MediaRef
from protocol.clock import WallMs, wall_at
from protocol.schedule import check_frequency, check_pi
from protocol.units import UnitPath

MONDAY = date(2025, 11, 24)


def at(weekday: int, hour: int, minute: int = 0, second: int = 0) -> WallMs:
    """An instant of the week that begins on Monday 24 November 2025."""
    return wall_at(date.fromordinal(MONDAY.toordinal() + weekday - 1), hour * 3600 + minute * 60 + second)


def test_window_within_a_day() -> None:
    noon = Window(begin_s=11 * 3600, end_s=13 * 3600)
    assert [noon.contains(at(1, hour)) for hour in (10, 11, 12, 13)] == [False, True, True, False]
    assert noon.contains(WallMs(at(1, 13) - 1))


def test_window_past_midnight() -> None:
    night = Window(begin_s=21 * 3600, end_s=6 * 3600)
    assert [night.contains(at(1, hour)) for hour in (5, 6, 20, 21, 23)] == [True, False, False, True, True]


def test_window_past_midnight_belongs_to_the_day_it_began() -> None:
    sunday_night = Window(begin_s=22 * 3600, end_s=2 * 3600, days=(7,))
    assert sunday_night.contains(at(7, 23))
    assert sunday_night.contains(at(1, 1))
    assert not sunday_night.contains(at(7, 1))
    assert not sunday_night.contains(at(1, 23))


def test_window_on_chosen_days() -> None:
    weekend = Window(begin_s=0, end_s=86_400, days=(6, 7))
    assert [weekend.contains(at(day, 12)) for day in (5, 6, 7)] == [False, True, True]
    assert weekend.contains(at(7, 23, 59, 59))


def test_window_until_midnight() -> None:
    for end_s in (86_400, 0):
        evening = Window(begin_s=20 * 3600, end_s=end_s)
        assert evening.contains(at(1, 23, 59, 59))
        assert not evening.contains(at(2, 0))


def test_window_needs_a_length() -> None:
    with pytest.raises(ValueError, match="length"):
        Window(begin_s=10, end_s=10)


def test_default_quiet_hours() -> None:
    assert in_any(DEFAULT_QUIET_HOURS, at(3, 3, 15))
    assert not in_any(DEFAULT_QUIET_HOURS, at(3, 17))
    assert not in_any((), at(3, 3))


@settings(max_examples=60, deadline=None)
@given(
    begin=st.integers(0, 86_399),
    end=st.integers(0, 86_400),
    days=st.sets(st.integers(1, 7)),
    second=st.integers(0, 7 * 86_400 - 1),
)
def test_window_agrees_with_walking_its_seconds(begin: int, end: int, days: set[int], second: int) -> None:
    if begin == end:
        return
    window = Window(begin, end, tuple(days))
    length = end - begin if begin < end else end + 86_400 - begin
    week = 7 * 86_400
    inside = any((second - ((day - 1) * 86_400 + begin)) % week < length for day in days or range(1, 8))
    assert window.contains(WallMs(wall_at(MONDAY, 0) + second * 1000)) == inside


@pytest.mark.parametrize("khz", [54_000, 68_000, 87_000, 99_900, 108_000])
def test_frequency_of_viet_nam(khz: int) -> None:
    check_frequency(khz)


@pytest.mark.parametrize("khz", [0, 53_900, 68_100, 86_900, 108_100, 99_950, -99_900])
def test_frequency_of_nowhere(khz: int) -> None:
    with pytest.raises(ValueError, match="FM frequency"):
        Station(khz, "x")


@pytest.mark.parametrize("pi", ["", "A20", "A2011", "a201", "G201", "Ａ201"])
def test_pi_that_is_none(pi: str) -> None:
    with pytest.raises(ValueError, match="programme identity"):
        check_pi(pi)


def test_config_checks_its_scope() -> None:
    with pytest.raises(ValueError, match="unit path"):
        AudibleConfig(UnitPath("Vn"), 1, WallMs(0))


def message(number: int) -> StoredMessage:
    return StoredMessage(number, "Mời họp", MediaRef("ab" * 32, 1000, 2000))


def test_a_message_behind_each_button() -> None:
    AudibleConfig(UnitPath("vn/92"), 1, WallMs(0), messages=(message(1), message(2), message(3)))


def test_two_messages_behind_one_button_are_refused() -> None:
    with pytest.raises(ValueError, match="one button"):
        AudibleConfig(UnitPath("vn/92"), 1, WallMs(0), messages=(message(1), message(1)))
