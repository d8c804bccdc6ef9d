"""Everything that sounds in a span of time, for the calendar and for the plain list of the next 24 hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from controller.bulletins.domain import State
from controller.schedules.domain import RUNG_PRIORITY, RUNG_RELAY, Occurrence, occurrences, overlap_in_place
from controller.schedules.queries import Planned, Tree, planned_around
from controller.schedules.reach import reach
from protocol.clock import WallMs
from protocol.units import UnitPath

ENTRIES_MAX = 2000


@dataclass(frozen=True, slots=True)
class Entry:
    """One occurrence as people see it.

    Attributes:
        standing: `signed`, `unsigned`, or `leaving` when it was withdrawn but is still in the signed schedule.
        loudspeakers: of those places that were asked about.
    """

    occurrence: Occurrence
    standing: str
    loudspeakers: int

    @property
    def kind(self) -> str:
        """Class of the bulletin, or relay."""
        rung = self.occurrence.airing.rung
        return {RUNG_PRIORITY: "priority", RUNG_RELAY: "relay"}.get(rung, "ordinary")


async def entries_of(
    connection: AsyncConnection,
    places: Iterable[UnitPath],
    *,
    tree: Tree,
    begin: WallMs,
    end: WallMs,
    now: WallMs,
    states: Iterable[State] = (State.APPROVED,),
) -> tuple[Entry, ...]:
    """What sounds in the places within [begin, end), by start."""
    places = tuple(places)
    planned = await planned_around(connection, places, now=now, tree=tree, states=states)
    near = [one for one in planned if overlap_in_place(one.airing.targets, places)]
    by_name = {one.airing.name: one for one in near}
    found = occurrences((one.airing for one in near), begin=begin, end=end)[:ENTRIES_MAX]
    inside = [place for place in tree.devices if any(place == one or place.startswith(one + "/") for one in places)]
    counts = {name: reach(one.airing.targets, inside, {}).loudspeakers for name, one in by_name.items()}
    return tuple(Entry(one, _standing(by_name[one.airing.name]), counts[one.airing.name]) for one in found)


def _standing(planned: Planned) -> str:
    if planned.withdrawn:
        return "leaving"
    return "signed" if planned.signed else "unsigned"
