"""Two kinds of time that never mix, and how far a device believes its own clock.

Wall time says *which* second it is and may step; monotonic time says *how long* and never does. Both are whole
milliseconds. Viet Nam keeps one fixed offset without summer time (Decision 121/CP of 1967, UTC+7), so local
time is a constant offset here and needs no time-zone database on the device.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import IntEnum
from typing import NewType

WallMs = NewType("WallMs", int)
"""Milliseconds since 1970-01-01T00:00:00Z."""

MonoMs = NewType("MonoMs", int)
"""Milliseconds of a clock that only runs forward; its origin means nothing."""

LOCAL_ZONE = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
_ZONE_S = 7 * 3600
DAY_S = 86_400
DAY_MS = DAY_S * 1000


class ClockTrust(IntEnum):
    """How far the wall clock is believed (behaviour.md, section 5)."""

    NONE = 0
    ATTESTED = 1
    AGREED = 2


@dataclass(frozen=True, slots=True)
class Now:
    """The present, handed in from outside: decisions never read a clock."""

    mono: MonoMs
    wall: WallMs
    clock: ClockTrust


def local_datetime(wall: WallMs) -> datetime:
    """The local date and time of a wall instant."""
    return datetime.fromtimestamp(wall / 1000, LOCAL_ZONE)


def local_second(wall: WallMs) -> int:
    """Second of the local day, 0 to 86,399."""
    return (wall // 1000 + _ZONE_S) % DAY_S


def local_weekday(wall: WallMs) -> int:
    """ISO weekday of a wall instant, 1 to 7; the first day of 1970 was a Thursday."""
    return ((wall // 1000 + _ZONE_S) // DAY_S + 3) % 7 + 1


def wall_at(day: date, second: int) -> WallMs:
    """The wall instant of a local day's second."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=LOCAL_ZONE)
    return WallMs((int(midnight.timestamp()) + second) * 1000)
