"""Whether something would sound in quiet hours, told before anyone signs; the device enforces it anyway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from protocol.audible_config import DEFAULT_QUIET_HOURS, Window
from protocol.clock import DAY_MS, WallMs, local_datetime, wall_at
from protocol.units import UnitPath, ancestors

QuietHours = Mapping[UnitPath, tuple[Window, ...]]
"""Quiet hours of each unit that has an audible configuration in force."""


def quiet_hours_at(place: UnitPath, signed: QuietHours) -> tuple[Window, ...]:
    """The nearest unit above that has a configuration decides, as a whole; without one, the product's safe hours."""
    for unit in reversed(ancestors(place)):
        if unit in signed:
            return signed[unit]
    return DEFAULT_QUIET_HOURS


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A start that would sound in quiet hours.

    Attributes:
        quiet_begin: when these quiet hours begin; later than `start` when the sound only runs into them.
    """

    start: WallMs
    quiet_begin: WallMs
    quiet_end: WallMs
    place: UnitPath


def first_disturbance(
    starts: Iterable[WallMs], duration_ms: int, *, places: Iterable[UnitPath], signed: QuietHours
) -> Disturbance | None:
    """The first start that touches the quiet hours of one of the places."""
    hours = {place: quiet_hours_at(place, signed) for place in places}
    for start in starts:
        for place, windows in hours.items():
            for begin, end in spans(windows, start, WallMs(start + duration_ms)):
                return Disturbance(start, begin, end, place)
    return None


def spans(windows: Iterable[Window], begin: WallMs, end: WallMs) -> Iterator[tuple[WallMs, WallMs]]:
    """Every run of the windows that overlaps [begin, end)."""
    first = local_datetime(begin).date() - timedelta(days=1)
    days = (local_datetime(end).date() - first).days + 1
    for window in windows:
        for day in (first + timedelta(days=ahead) for ahead in range(days)):
            opens = wall_at(day, window.begin_s)
            closes = WallMs(wall_at(day, window.end_s) + (0 if window.begin_s < window.end_s else DAY_MS))
            if window.contains(opens) and opens < end and begin < closes:
                yield opens, closes
