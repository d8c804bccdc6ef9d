"""What is wrong with a form, as values: the field it stands beside, a code, and the figures its sentence needs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Value = str | int


class Code(StrEnum):
    """One code for each sentence in `wording`."""

    TITLE_MISSING = "title_missing"
    TITLE_TOO_LONG = "title_too_long"
    CONTENT_MISSING = "content_missing"
    CONTENT_UNKNOWN = "content_unknown"
    FREQUENCY_WRONG = "frequency_wrong"
    DURATION_WRONG = "duration_wrong"
    STREAM_WRONG = "stream_wrong"
    CLASS_UNKNOWN = "class_unknown"
    UNIT_UNKNOWN = "unit_unknown"
    UNIT_OUT_OF_SCOPE = "unit_out_of_scope"
    TARGETS_MISSING = "targets_missing"
    TARGETS_TOO_MANY = "targets_too_many"
    TARGET_OUT_OF_SCOPE = "target_out_of_scope"
    TIME_MISSING = "time_missing"
    TIME_UNREADABLE = "time_unreadable"
    DATE_MISSING = "date_missing"
    DATE_UNREADABLE = "date_unreadable"
    NO_SUCH_DAY = "no_such_day"
    DAYS_MISSING = "days_missing"
    LAST_BEFORE_FIRST = "last_before_first"
    EXCEPTIONS_TOO_MANY = "exceptions_too_many"
    NEVER = "never"
    PAST = "past"
    TOO_SOON = "too_soon"
    TOO_FAR = "too_far"
    QUIET_HOURS = "quiet_hours"
    RUNS_INTO_QUIET_HOURS = "runs_into_quiet_hours"
    OVERLAPS_ORDINARY = "overlaps_ordinary"
    OVERLAPS = "overlaps"
    OVERLAPS_ITSELF = "overlaps_itself"
    ITEMS_TOO_MANY = "items_too_many"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right.

    Attributes:
        field: name of the form's field that it stands beside.
        values: what the sentence names, such as a date or a title.
        passable: the user may go on after having been told.
    """

    field: str
    code: Code
    values: tuple[tuple[str, Value], ...] = ()
    passable: bool = False


def problem(field: str, code: Code, **values: Value) -> Problem:
    """A problem whose sentence names the values."""
    return Problem(field, code, tuple(sorted(values.items())))
