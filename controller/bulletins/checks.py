"""What stands against a bulletin before it is submitted or approved: missing parts, quiet hours, collisions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from controller.bulletins.domain import Bulletin, Now, State, is_offered
from controller.bulletins.draft import missing
from controller.bulletins.problem import Code, Problem, problem
from controller.bulletins.timing import TimingError, check_future, last_instant
from controller.schedules.domain import Airing, Collision, Outcome, Precedence, collisions, overlaps_itself
from controller.schedules.queries import Planned, Tree, airing_of_bulletin, planned_around, precedence_around
from controller.schedules.quiet import QuietHours, first_disturbance
from controller.signing.queries import signed_quiet_hours
from protocol.bulletin import Explicit, When
from protocol.clock import WallMs
from protocol.limits import ITEMS_MAX, SCHEDULE_LIFETIME_MS_MAX, STARTS_MAX
from protocol.units import UnitPath

COLLISIONS_TOLD_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """All that a bulletin is checked against.

    Attributes:
        quiet: signed quiet hours of every unit that has some.
    """

    planned: tuple[Planned, ...]
    precedence: Precedence
    quiet: QuietHours
    tree: Tree


async def load_neighbourhood(
    connection: AsyncConnection, targets: Iterable[UnitPath], *, now: WallMs, tree: Tree, states: Iterable[State]
) -> Neighbourhood:
    """Reads it for the places that a bulletin addresses."""
    targets = tuple(targets)
    planned = await planned_around(connection, targets, now=now, tree=tree, states=states)
    precedence = await precedence_around(connection, targets)
    return Neighbourhood(planned, precedence, await signed_quiet_hours(connection), tree)


def find_problems(bulletin: Bulletin, around: Neighbourhood, now: WallMs) -> tuple[Problem, ...]:
    """Everything that is wrong, and what the user may pass over after having been told."""
    lacking = missing(bulletin)
    if lacking:
        return lacking
    airing = airing_of_bulletin(bulletin, now)
    assert airing is not None and bulletin.timing is not None, "nothing is missing"
    found = list(_late(bulletin, now))
    if not is_offered(bulletin, home=around.tree.is_home(bulletin.unit)):
        found += _disturbing(airing, around, now)
        found += _overlapping(airing, around, now)
    return tuple(found)


def _late(bulletin: Bulletin, now: WallMs) -> Iterator[Problem]:
    """A page may have been open for a day, and an approval may take a week."""
    when = bulletin.timing
    if isinstance(when, Now) or when is None:
        return
    if isinstance(when, Explicit):
        try:
            check_future(when.starts[0], now)
        except TimingError as error:
            yield error.problem
    elif next(when.between(now, WallMs(last_instant(when) + 1)), None) is None:
        yield problem("last_date", Code.PAST, when=last_instant(when))


def upcoming(when: When, now: WallMs) -> tuple[WallMs, ...]:
    """The starts within one schedule's life, as many as are worth looking at."""
    return tuple(islice(when.between(now, WallMs(now + SCHEDULE_LIFETIME_MS_MAX)), STARTS_MAX))


def _disturbing(airing: Airing, around: Neighbourhood, now: WallMs) -> Iterator[Problem]:
    places = around.tree.homes(airing.targets) or airing.targets
    found = first_disturbance(upcoming(airing.when, now), airing.duration_ms, places=places, signed=around.quiet)
    if found is None:
        return
    code = Code.QUIET_HOURS if found.quiet_begin <= found.start else Code.RUNS_INTO_QUIET_HOURS
    yield problem(
        "time",
        code,
        when=found.start,
        begin=found.quiet_begin,
        end=found.quiet_end,
        place=around.tree.name(found.place),
    )


def _overlapping(airing: Airing, around: Neighbourhood, now: WallMs) -> Iterator[Problem]:
    end = WallMs(now + SCHEDULE_LIFETIME_MS_MAX)
    again = overlaps_itself(airing.when, airing.duration_ms, begin=now, end=end)
    if again is not None:
        yield problem("time", Code.OVERLAPS_ITSELF, when=again)
    others = [one.airing for one in around.planned if not one.withdrawn]
    if sum(one.unit == airing.unit for one in others) >= ITEMS_MAX:
        yield problem("unit", Code.ITEMS_TOO_MANY, most=ITEMS_MAX)
    found = collisions(airing, others, begin=now, end=end, precedence=around.precedence)
    yield from _told(found)


def _told(found: list[Collision]) -> Iterator[Problem]:
    """Each other bulletin once, with its first meeting."""
    seen: set[str] = set()
    for one in found:
        name = one.other.airing.name
        if name in seen or len(seen) >= COLLISIONS_TOLD_MAX:
            continue
        seen.add(name)
        refused = one.outcome is Outcome.REFUSED
        told = problem(
            "time",
            Code.OVERLAPS_ORDINARY if refused else Code.OVERLAPS,
            title=one.other.airing.title,
            when=one.other.start,
            end=one.other.end,
            outcome=one.outcome.value,
        )
        yield replace(told, passable=not refused)
