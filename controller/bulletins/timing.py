"""From what a person typed to a time: now, once, or days of the week. Every way to be wrong has its own code."""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from controller.bulletins.domain import Now, Timing
from controller.bulletins.problem import Code, Problem, problem
from protocol import codec
from protocol.bulletin import Explicit, Weekly, When
from protocol.clock import DAY_MS, WallMs, local_datetime, local_second, wall_at
from protocol.limits import EXCEPTIONS_MAX

LEAD_MS: Final = 60_000
"""Devices get this long to fetch the sound of a bulletin that starts now."""

LEAD_MS_MIN: Final = 5_000
AHEAD_MS_MAX: Final = 2 * 366 * DAY_MS
_ISO: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_VIETNAMESE: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_TIME: Final = re.compile(r"(\d{1,2})[:hg.](\d{2})(?::(\d{2}))?")


@dataclass(frozen=True, slots=True)
class TimingText:
    """The fields of a form or of the API, as text.

    Attributes:
        kind: `now`, `once` or `weekly`; empty while a draft has no time yet.
        start_ms: exact start for `once`, instead of date and time; -1 when not given.
        except_dates: dates apart by spaces, commas or new lines.
    """

    kind: str = ""
    date: str = ""
    time: str = ""
    days: tuple[str, ...] = ()
    first_date: str = ""
    last_date: str = ""
    except_dates: str = ""
    start_ms: int = -1


class TimingError(Exception):
    """The text is no time; carries the one problem."""

    def __init__(self, found: Problem) -> None:
        super().__init__(found.code.value)
        self.problem = found


def meant(text: TimingText) -> TimingText:
    """Without the fields of other kinds, which a form sends along with whatever stands in them."""
    if text.kind == "once":
        return TimingText(kind="once", date=text.date, time=text.time, start_ms=text.start_ms)
    if text.kind == "weekly":
        return replace(text, date="", start_ms=-1, days=tuple(sorted(text.days)))
    return TimingText(kind=text.kind)


def read_timing(text: TimingText, now: WallMs) -> Timing | None:
    """The time that was meant; None when none was chosen yet.

    Raises:
        TimingError: with the first problem.
    """
    if text.kind == "now":
        return Now()
    if text.kind == "once":
        return _read_once(text, now)
    if text.kind == "weekly":
        return _read_weekly(text, now)
    return None


def _read_once(text: TimingText, now: WallMs) -> Explicit:
    if text.start_ms >= 0:
        start = WallMs(text.start_ms)
    else:
        start = wall_at(_read_date("date", text.date), _read_second(text.time))
    check_future(start, now)
    return Explicit((start,))


def check_future(start: WallMs, now: WallMs) -> None:
    """Raises TimingError unless devices can still fetch the sound, and the year is not a slip of the finger."""
    if start <= now:
        raise TimingError(problem("time", Code.PAST, when=start))
    if start < now + LEAD_MS_MIN:
        raise TimingError(problem("time", Code.TOO_SOON, when=start, seconds=LEAD_MS_MIN // 1000))
    if start > now + AHEAD_MS_MAX:
        raise TimingError(problem("date", Code.TOO_FAR, when=start))


def _read_weekly(text: TimingText, now: WallMs) -> Weekly:
    days = tuple(sorted({int(day) for day in text.days if day in {"1", "2", "3", "4", "5", "6", "7"}}))
    if not days:
        raise TimingError(problem("days", Code.DAYS_MISSING))
    first = _read_date("first_date", text.first_date)
    last = _read_date("last_date", text.last_date)
    if last < first:
        raise TimingError(problem("last_date", Code.LAST_BEFORE_FIRST))
    exceptions = _read_exceptions(text.except_dates)
    at_s = _read_second(text.time)
    made = Weekly(days, at_s, first.isoformat(), last.isoformat(), exceptions)
    _check_weekly(made, now)
    return made


def _check_weekly(weekly: Weekly, now: WallMs) -> None:
    end = last_instant(weekly)
    if end > now + AHEAD_MS_MAX:
        raise TimingError(problem("last_date", Code.TOO_FAR, when=end))
    if end <= now:
        raise TimingError(problem("last_date", Code.PAST, when=end))
    if next(weekly.between(now, WallMs(end + 1)), None) is None:
        raise TimingError(problem("days", Code.NEVER))


def _read_exceptions(text: str) -> tuple[str, ...]:
    words = [word for word in re.split(r"[\s,;]+", text) if word]
    if len(words) > EXCEPTIONS_MAX:
        raise TimingError(problem("except_dates", Code.EXCEPTIONS_TOO_MANY, most=EXCEPTIONS_MAX))
    return tuple(sorted({_read_date("except_dates", word).isoformat() for word in words}))


def _read_date(field: str, text: str) -> date:
    text = text.strip()
    if not text:
        raise TimingError(problem(field, Code.DATE_MISSING))
    iso, vietnamese = _ISO.fullmatch(text), _VIETNAMESE.fullmatch(text)
    if iso:
        year, month, day = (int(part) for part in iso.groups())
    elif vietnamese:
        day, month, year = (int(part) for part in vietnamese.groups())
    else:
        raise TimingError(problem(field, Code.DATE_UNREADABLE, text=text[:20]))
    return _date_of(field, year=year, month=month, day=day)


def _date_of(field: str, *, year: int, month: int, day: int) -> date:
    if not 1 <= month <= 12 or not 1 <= year <= 9000 or day < 1:
        raise TimingError(problem(field, Code.DATE_UNREADABLE, text=f"{day}/{month}/{year}"))
    last = calendar.monthrange(year, month)[1]
    if day > last:
        raise TimingError(problem(field, Code.NO_SUCH_DAY, day=day, month=month, year=year, last=last))
    return date(year, month, day)


def _read_second(text: str) -> int:
    text = text.strip()
    if not text:
        raise TimingError(problem("time", Code.TIME_MISSING))
    found = _TIME.fullmatch(text)
    if not found:
        raise TimingError(problem("time", Code.TIME_UNREADABLE, text=text[:20]))
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise TimingError(problem("time", Code.TIME_UNREADABLE, text=text[:20]))
    return hour * 3600 + minute * 60 + second


def soonest(now: WallMs, lead_ms: int = LEAD_MS) -> WallMs:
    """The next full minute that leaves devices time to fetch."""
    return WallMs(-(-(now + lead_ms) // 60_000) * 60_000)


def fixed(timing: Timing, now: WallMs, lead_ms: int = LEAD_MS) -> When:
    """The time with `now` turned into a second."""
    return Explicit((soonest(now, lead_ms),)) if isinstance(timing, Now) else timing


def last_instant(when: When) -> WallMs:
    """The latest possible start."""
    if isinstance(when, Explicit):
        return max(when.starts, default=WallMs(0))
    return wall_at(date.fromisoformat(when.last_date), when.at_s)


def is_over(when: When, duration_ms: int, now: WallMs) -> bool:
    """Whether the last occurrence has been sounded to its end."""
    return last_instant(when) + duration_ms <= now


def write_timing(timing: Timing | None) -> str:
    """The stored form."""
    if timing is None:
        return '{"kind":"unset"}'
    if isinstance(timing, Now):
        return '{"kind":"now"}'
    return codec.encode(timing).decode()


def load_timing(text: str) -> Timing | None:
    """From the stored form, which this program wrote."""
    value: Mapping[str, Any] = json.loads(text)
    kind = value["kind"]
    if kind == "unset":
        return None
    if kind == "now":
        return Now()
    return codec.build(Explicit, value) if kind == Explicit.KIND else codec.build(Weekly, value)


def as_text(timing: Timing | None) -> TimingText:
    """What the form shows for a stored time."""
    if timing is None:
        return TimingText()
    if isinstance(timing, Now):
        return TimingText(kind="now")
    if isinstance(timing, Explicit):
        start = timing.starts[0]
        return TimingText(
            kind="once", date=local_datetime(start).date().isoformat(), time=_clock(local_second(start))
        )
    return TimingText(
        kind="weekly",
        time=_clock(timing.at_s),
        days=tuple(str(day) for day in timing.days),
        first_date=timing.first_date,
        last_date=timing.last_date,
        except_dates=" ".join(timing.except_dates),
    )


def _clock(second: int) -> str:
    hour, minute, rest = second // 3600, second // 60 % 60, second % 60
    return f"{hour:02}:{minute:02}" + (f":{rest:02}" if rest else "")
