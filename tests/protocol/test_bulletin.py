from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.bulletin import Explicit, MediaRef, Weekly, check_digest
from protocol.clock import DAY_MS, LOCAL_ZONE, WallMs, local_datetime, local_second, wall_at

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


def weekly(**changed: object) -> Weekly:
    made: dict[str, object] = {
        "days": EVERY_DAY,
        "at_s": 17 * 3600,
        "first_date": "2024-02-26",
        "last_date": "2024-03-03",
    }
    return Weekly(**made | changed)  # type: ignore[arg-type]


def starts(rule: Weekly | Explicit, begin: date, end: date) -> list[str]:
    found = rule.between(wall_at(begin, 0), wall_at(end, 0))
    return [f"{local_datetime(start):%d/%m %H:%M}" for start in found]


def test_explicit_starts_are_sorted_and_cut() -> None:
    rule = Explicit((WallMs(30), WallMs(10), WallMs(20)))
    assert [*rule.between(WallMs(10), WallMs(30))] == [10, 20]


def test_weekly_runs_through_a_leap_day() -> None:
    found = starts(weekly(), date(2024, 1, 1), date(2025, 1, 1))
    assert found == [f"{day} 17:00" for day in ("26/02", "27/02", "28/02", "29/02", "01/03", "02/03", "03/03")]


def test_only_leap_day_is_left_out() -> None:
    rule = weekly(except_dates=("2024-02-29",), first_date="2024-02-28", last_date="2024-03-01")
    assert starts(rule, date(2024, 1, 1), date(2025, 1, 1)) == ["28/02 17:00", "01/03 17:00"]


def test_chosen_weekdays_only() -> None:
    assert starts(weekly(days=(1, 7)), date(2024, 1, 1), date(2025, 1, 1)) == ["26/02 17:00", "03/03 17:00"]
    assert starts(weekly(days=()), date(2024, 1, 1), date(2025, 1, 1)) == []


def test_both_dates_are_included() -> None:
    rule = weekly(first_date="2024-02-26", last_date="2024-02-26")
    assert starts(rule, date(2024, 2, 26), date(2024, 2, 27)) == ["26/02 17:00"]


def test_last_before_first_never_sounds() -> None:
    assert starts(weekly(last_date="2024-02-25"), date(2024, 1, 1), date(2025, 1, 1)) == []


def test_day_is_the_local_one() -> None:
    """Half past midnight in Viet Nam is still yesterday in UTC."""
    rule = weekly(days=(1,), at_s=1800)
    (start,) = rule.between(WallMs(0), WallMs(2_000_000_000_000))
    assert local_datetime(start).isoformat() == "2024-02-26T00:30:00+07:00"
    assert [*rule.between(start, WallMs(start + 1))] == [start]
    assert [*rule.between(WallMs(start + 1), WallMs(start + DAY_MS))] == []


@pytest.mark.parametrize("text", ["2024-2-26", "20240226", "2024-W09-1", "2023-02-29", "2024-02-30", "", "hôm nay"])
def test_text_that_is_no_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"date|Invalid isoformat|out of range|month"):
        weekly(first_date=text)
    with pytest.raises(ValueError, match=r"date|Invalid isoformat|out of range|month"):
        weekly(except_dates=(text,))


@pytest.mark.parametrize("text", ["", "a" * 63, "a" * 65, "A" * 64, "g" * 64])
def test_text_that_is_no_digest(text: str) -> None:
    with pytest.raises(ValueError, match="digest"):
        check_digest(text)
    with pytest.raises(ValueError, match="digest"):
        MediaRef(text, 1, 1)


days = st.dates(date(2023, 12, 1), date(2024, 4, 1))


@settings(max_examples=40, deadline=None)
@given(
    rule=st.builds(
        Weekly,
        days=st.sets(st.sampled_from(EVERY_DAY)).map(tuple),
        at_s=st.integers(0, 86_399),
        first_date=days.map(str),
        last_date=days.map(str),
        except_dates=st.lists(days.map(str), max_size=5).map(tuple),
    ),
    begin=st.integers(1_701_000_000_000, 1_712_000_000_000),
    length=st.integers(0, 20 * DAY_MS),
)
def test_weekly_agrees_with_looking_at_every_day(rule: Weekly, begin: int, length: int) -> None:
    every = (date.fromordinal(day) for day in range(date(2023, 11, 1).toordinal(), date(2024, 6, 1).toordinal()))
    wanted = [
        wall_at(day, rule.at_s)
        for day in every
        if rule.first_date <= str(day) <= rule.last_date
        and day.isoweekday() in rule.days
        and str(day) not in rule.except_dates
    ]
    end = begin + length
    assert [*rule.between(WallMs(begin), WallMs(end))] == [one for one in wanted if begin <= one < end]


def test_local_time_is_seven_hours_ahead() -> None:
    assert local_datetime(WallMs(0)).isoformat() == "1970-01-01T07:00:00+07:00"
    assert local_second(WallMs(-7 * 3_600_000)) == 0
    assert local_second(WallMs(16 * 3_600_000 + 3_599_999)) == 86_399
    assert wall_at(date(1970, 1, 1), 7 * 3600) == 0
    assert LOCAL_ZONE.tzname(None) == "Asia/Ho_Chi_Minh"
