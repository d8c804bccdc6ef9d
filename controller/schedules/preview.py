"""What a bulletin would do: every start of the next days, how many loudspeakers and people, what it meets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from controller.schedules.domain import HORIZON_MS, Airing, Collision, Precedence, collisions, count_beyond
from controller.schedules.reach import Reach, reach
from protocol.clock import DAY_MS, WallMs
from protocol.units import UnitPath

BEYOND_MS_MAX: Final = 2 * 366 * DAY_MS


@dataclass(frozen=True, slots=True)
class PreviewedStart:
    """One start and what it meets."""

    start: WallMs
    end: WallMs
    collisions: tuple[Collision, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the screen says before anything is sent.

    Attributes:
        starts: within the next eight days.
        beyond: number of starts after them.
    """

    starts: tuple[PreviewedStart, ...]
    beyond: int
    reach: Reach


def preview(
    airing: Airing,
    others: Iterable[Airing],
    *,
    now: WallMs,
    precedence: Precedence,
    places: Iterable[UnitPath],
    population: Mapping[UnitPath, int],
) -> Preview:
    """Looks ahead from now."""
    end = WallMs(now + HORIZON_MS)
    met: dict[WallMs, list[Collision]] = {}
    for one in collisions(airing, others, begin=now, end=end, precedence=precedence):
        met.setdefault(one.mine.start, []).append(one)
    starts = tuple(
        PreviewedStart(start, WallMs(start + airing.duration_ms), tuple(met.get(start, ())))
        for start in airing.when.between(now, end)
    )
    beyond = count_beyond(airing.when, begin=end, end=WallMs(now + BEYOND_MS_MAX))
    return Preview(starts, beyond, reach(airing.targets, places, population))
