"""What a bulletin is made of: its class, its sound, and when it repeats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import ClassVar

from protocol.clock import DAY_S, WallMs, local_datetime, wall_at
from protocol.codec import bounded
from protocol.limits import EXCEPTIONS_MAX, MEDIA_BYTES_MAX, MEDIA_DURATION_MS_MAX, STARTS_MAX

_DIGEST = re.compile(r"[0-9a-f]{64}")


class BulletinClass(StrEnum):
    """Classes from Circular 39/2020. Emergency is a document of its own: `protocol.alert`."""

    ORDINARY = "ordinary"
    PRIORITY = "priority"


class CatchUp(StrEnum):
    """What happens to an item that a power cut interrupted."""

    RESUME = "resume"
    RESTART = "restart"
    SKIP = "skip"


def check_digest(text: str) -> None:
    """Raises ValueError unless the text is a SHA-256 in lower-case hexadecimal."""
    if not _DIGEST.fullmatch(text):
        raise ValueError("a digest is 64 lower-case hexadecimal digits")


@dataclass(frozen=True, slots=True)
class MediaRef:
    """Sound by its content: SHA-256, size and length. The digest is the address and the proof."""

    digest: str
    size_bytes: int = field(metadata=bounded(low=1, high=MEDIA_BYTES_MAX))
    duration_ms: int = field(metadata=bounded(low=1, high=MEDIA_DURATION_MS_MAX))

    def __post_init__(self) -> None:
        check_digest(self.digest)


@dataclass(frozen=True, slots=True)
class Explicit:
    """Starts named one by one."""

    KIND: ClassVar[str] = "explicit"
    starts: tuple[WallMs, ...] = field(metadata=bounded(count_max=STARTS_MAX))

    def between(self, begin: WallMs, end: WallMs) -> Iterator[WallMs]:
        """Starts in [begin, end), earliest first."""
        return (start for start in sorted(self.starts) if begin <= start < end)


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every chosen weekday from one date to another, both included, except some dates.

    Attributes:
        days: ISO weekdays, 1 Monday to 7 Sunday.
        at_s: second of the local day.
        first_date, last_date, except_dates: local dates as YYYY-MM-DD.
    """

    KIND: ClassVar[str] = "weekly"
    days: tuple[int, ...] = field(metadata=bounded(low=1, high=7, count_max=7))
    at_s: int = field(metadata=bounded(high=DAY_S - 1))
    first_date: str
    last_date: str
    except_dates: tuple[str, ...] = field(default=(), metadata=bounded(count_max=EXCEPTIONS_MAX))

    def __post_init__(self) -> None:
        for text in (self.first_date, self.last_date, *self.except_dates):
            if date.fromisoformat(text).isoformat() != text:
                raise ValueError(f"a date is written YYYY-MM-DD, not {text[:20]!r}")

    def between(self, begin: WallMs, end: WallMs) -> Iterator[WallMs]:
        """Starts in [begin, end), earliest first; walks only the days of that span."""
        first = max(date.fromisoformat(self.first_date), local_datetime(begin).date())
        last = min(date.fromisoformat(self.last_date), local_datetime(end).date())
        for ahead in range((last - first).days + 1):
            day = first + timedelta(days=ahead)
            start = wall_at(day, self.at_s)
            wanted = day.isoweekday() in self.days and day.isoformat() not in self.except_dates
            if wanted and begin <= start < end:
                yield start


When = Explicit | Weekly
