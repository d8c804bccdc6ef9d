"""Times as people type them, and every way to be wrong."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.bulletins.domain import Now
from controller.bulletins.problem import Code
from controller.bulletins.timing import (
    TimingError,
    TimingText,
    as_text,
    fixed,
    is_over,
    load_timing,
    read_timing,
    soonest,
    write_timing,
)
from protocol.bulletin import Explicit, Weekly
from protocol.clock import WallMs, wall_at

NOW = wall_at(date(2026, 11, 23), 10 * 3600 + 26 * 60 + 17)


def once(day: str = "2026-11-23", time: str = "17:00", start_ms: int = -1) -> TimingText:
    return TimingText("once", day, time, start_ms=start_ms)


def weekly(**changes: object) -> TimingText:
    fields = {"time": "17:00", "days": ("1", "3"), "first_date": "2026-11-23", "last_date": "2026-12-31"} | changes
    return TimingText("weekly", **fields)  # type: ignore[arg-type]


def code_of(text: TimingText) -> tuple[str, Code]:
    with pytest.raises(TimingError) as caught:
        read_timing(text, NOW)
    return caught.value.problem.field, caught.value.problem.code


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        (once(time="10:20"), "time", Code.PAST),
        (once("2026-11-22"), "time", Code.PAST),
        (once("31/02/2027"), "date", Code.NO_SUCH_DAY),
        (once("2027-02-31"), "date", Code.NO_SUCH_DAY),
        (once("31/04/2027"), "date", Code.NO_SUCH_DAY),
        (once("13/13/2027"), "date", Code.DATE_UNREADABLE),
        (once("mai"), "date", Code.DATE_UNREADABLE),
        (once(""), "date", Code.DATE_MISSING),
        (once(time=""), "time", Code.TIME_MISSING),
        (once(time="25:00"), "time", Code.TIME_UNREADABLE),
        (once(time="năm giờ"), "time", Code.TIME_UNREADABLE),
        (once("2062-11-23"), "date", Code.TOO_FAR),
        (once(start_ms=NOW + 4999), "time", Code.TOO_SOON),
        (once(start_ms=NOW), "time", Code.PAST),
        (weekly(days=()), "days", Code.DAYS_MISSING),
        (weekly(days=("8", "x")), "days", Code.DAYS_MISSING),
        (weekly(last_date="2026-11-22"), "last_date", Code.LAST_BEFORE_FIRST),
        (weekly(first_date="2026-10-01", last_date="2026-11-20"), "last_date", Code.PAST),
        (weekly(last_date="2026-11-24", days=("5",)), "days", Code.NEVER),
        (weekly(last_date="2026-11-24", days=("1",), except_dates="23/11/2026"), "days", Code.NEVER),
        (weekly(except_dates="2026-12-02, 31/2/2027"), "except_dates", Code.NO_SUCH_DAY),
        (weekly(except_dates="2026-12-02 " * 401), "except_dates", Code.EXCEPTIONS_TOO_MANY),
        (weekly(last_date="2099-01-01"), "last_date", Code.TOO_FAR),
    ],
)
def test_wrong_times_are_named(text: TimingText, field: str, code: Code) -> None:
    assert code_of(text) == (field, code)


@pytest.mark.parametrize("time", ["17:00", "17h00", "17.00", "17:00:00"])
@pytest.mark.parametrize("day", ["2026-11-23", "23/11/2026", "23-11-2026"])
def test_dates_and_times_as_people_write_them(day: str, time: str) -> None:
    assert read_timing(once(day, time), NOW) == Explicit((wall_at(date(2026, 11, 23), 17 * 3600),))


def test_exact_start_may_be_soon() -> None:
    assert read_timing(once(start_ms=NOW + 5000), NOW) == Explicit((WallMs(NOW + 5000),))


def test_no_time_yet_is_fine_for_a_draft() -> None:
    assert read_timing(TimingText(), NOW) is None


def test_now_is_the_next_full_minute_with_time_to_fetch() -> None:
    assert soonest(NOW) == wall_at(date(2026, 11, 23), 10 * 3600 + 28 * 60)
    assert fixed(Now(), NOW, lead_ms=5000) == Explicit((wall_at(date(2026, 11, 23), 10 * 3600 + 27 * 60),))


@given(st.integers(NOW, NOW + 10**9), st.integers(5000, 300_000))
def test_now_leaves_the_lead_and_little_more(now: int, lead: int) -> None:
    start = soonest(WallMs(now), lead)
    assert start % 60_000 == 0
    assert lead <= start - now < lead + 60_000


@pytest.mark.parametrize(
    "timing",
    [None, Now(), Explicit((NOW,)), Weekly((1, 7), 61_201, "2026-11-23", "2026-12-31", ("2026-12-24",))],
)
def test_stored_time_is_the_same(timing: object) -> None:
    assert load_timing(write_timing(timing)) == timing  # type: ignore[arg-type]


def test_form_shows_what_was_stored() -> None:
    for text in (once(), weekly(except_dates="2026-12-02"), TimingText("now"), TimingText()):
        assert as_text(read_timing(text, NOW)) == text


def test_over_when_the_last_sound_has_ended() -> None:
    assert not is_over(Explicit((NOW,)), 1000, WallMs(NOW + 999))
    assert is_over(Explicit((NOW,)), 1000, WallMs(NOW + 1000))
    assert not is_over(Weekly((1,), 0, "2026-11-23", "2026-11-30"), 0, NOW)
