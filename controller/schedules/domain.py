"""What sounds when, and what happens where two things want the same minute. Pure.

The ladder decides on the device (behaviour.md, section 1); here the same rule is told before anything is signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import merge
from itertools import pairwise
from typing import Final

from protocol.bulletin import BulletinClass, When
from protocol.clock import DAY_MS, WallMs
from protocol.schedule import Item, Programme
from protocol.units import UnitPath, covers, depth

HORIZON_MS: Final = 8 * DAY_MS
"""How far ahead every single start is shown."""

RUNG_PRIORITY: Final = 5
RUNG_ORDINARY: Final = 6
RUNG_RELAY: Final = 7


@dataclass(frozen=True, slots=True)
class Airing:
    """Something planned, by whichever unit, signed or not yet."""

    bulletin: str
    unit: UnitPath
    title: str
    rung: int
    when: When
    duration_ms: int
    targets: tuple[UnitPath, ...]

    @property
    def name(self) -> str:
        """How a commune's word on precedence names it."""
        return f"{self.unit}#{self.bulletin}"


def rung_of(bulletin_class: BulletinClass, *, relay: bool) -> int:
    """The rung of the ladder on which it sounds: a relay stands below every stored programme."""
    if relay:
        return RUNG_RELAY
    return RUNG_PRIORITY if bulletin_class is BulletinClass.PRIORITY else RUNG_ORDINARY


def airing_of(item: Item, unit: UnitPath) -> Airing:
    """A signed item, seen as something planned."""
    return Airing(
        bulletin=item.id,
        unit=unit,
        title=item.title,
        rung=rung_of(item.bulletin_class, relay=not isinstance(item.content, Programme)),
        when=item.when,
        duration_ms=item.content.duration_ms,
        targets=item.targets,
    )


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One start of an airing."""

    airing: Airing
    start: WallMs

    @property
    def end(self) -> WallMs:
        """The instant after its last sample."""
        return WallMs(self.start + self.airing.duration_ms)


def occurrences(airings: Iterable[Airing], *, begin: WallMs, end: WallMs) -> list[Occurrence]:
    """All that sounds within [begin, end), also what began before; earliest first."""
    rows = [_of_one(airing, begin, end) for airing in airings]
    return list(merge(*rows, key=lambda one: one.start))


def _of_one(airing: Airing, begin: WallMs, end: WallMs) -> list[Occurrence]:
    before = WallMs(begin - airing.duration_ms + 1)
    return [Occurrence(airing, start) for start in airing.when.between(before, end)]


def overlap_in_place(one: Iterable[UnitPath], other: Iterable[UnitPath]) -> tuple[UnitPath, ...]:
    """The narrower of each pair of targets that meet: where both would sound."""
    other = tuple(other)
    shared = {
        mine if covers(theirs, mine) else theirs
        for mine in one
        for theirs in other
        if covers(theirs, mine) or covers(mine, theirs)
    }
    return tuple(sorted(shared))


class Outcome(StrEnum):
    """What becomes of the first of two that collide."""

    FIRST = "first"
    AFTER = "after"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Collision:
    """Two occurrences at the same time in the same place.

    Attributes:
        mine: of the airing that was asked about.
        where: the places in which both would sound.
    """

    mine: Occurrence
    other: Occurrence
    where: tuple[UnitPath, ...]
    outcome: Outcome


Precedence = Mapping[UnitPath, tuple[str, ...]]
"""Each unit's own signed word on the order of priority items that collide."""


def collisions(
    airing: Airing,
    others: Iterable[Airing],
    *,
    begin: WallMs,
    end: WallMs,
    precedence: Precedence,
) -> list[Collision]:
    """Everything the airing's starts in [begin, end) collide with, in order of time."""
    mine = [Occurrence(airing, start) for start in airing.when.between(begin, end)]
    if not mine:
        return []
    found: list[Collision] = []
    for other in others:
        where = overlap_in_place(airing.targets, other.targets)
        if where and other.name != airing.name:
            outcome = outcome_of(airing, other, where=where, precedence=precedence)
            found += [Collision(one, two, where, outcome) for one, two in _meetings(mine, other)]
    return sorted(found, key=lambda one: (one.mine.start, one.other.start, one.other.airing.name))


def _meetings(mine: list[Occurrence], other: Airing) -> list[tuple[Occurrence, Occurrence]]:
    """Pairs that overlap in time; walks both lists once."""
    theirs = occurrences([other], begin=mine[0].start, end=max(one.end for one in mine))
    found = []
    first = 0
    for one in mine:
        while first < len(theirs) and theirs[first].end <= one.start:
            first += 1
        for two in theirs[first:]:
            if two.start >= one.end:
                break
            if two.end > one.start:
                found.append((one, two))
    return found


def outcome_of(airing: Airing, other: Airing, *, where: tuple[UnitPath, ...], precedence: Precedence) -> Outcome:
    """Who sounds first. Two of one kind from one unit on an ordinary rung would silence each other for ever."""
    if airing.rung != other.rung:
        return Outcome.FIRST if airing.rung < other.rung else Outcome.AFTER
    if airing.rung != RUNG_PRIORITY and airing.unit == other.unit:
        return Outcome.REFUSED
    mine, theirs = (_rank(one, where, precedence) for one in (airing, other))
    return Outcome.FIRST if mine < theirs else Outcome.AFTER


def _rank(airing: Airing, where: tuple[UnitPath, ...], precedence: Precedence) -> tuple[int, int, str]:
    """By the word of the nearest unit that has one, then the widest scope, then the name, so it is never open."""
    said = [unit for unit in precedence if precedence[unit] and any(covers(unit, place) for place in where)]
    order = precedence[max(said, key=depth)] if said else ()
    position = order.index(airing.name) if airing.name in order else len(order)
    return position, depth(airing.unit), airing.name


def overlaps_itself(when: When, duration_ms: int, *, begin: WallMs, end: WallMs) -> WallMs | None:
    """The first start that comes before the one before it has ended."""
    starts = list(when.between(begin, end))
    for former, start in pairwise(starts):
        if start < former + duration_ms:
            return start
    return None


def count_beyond(when: When, *, begin: WallMs, end: WallMs) -> int:
    """Number of starts in [begin, end)."""
    return sum(1 for _ in when.between(begin, end))
