"""What is planned around some places: signed schedules, and bulletins that were approved and wait for a signature."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.bulletins.domain import Bulletin, State, is_offered
from controller.bulletins.queries import bulletins_around
from controller.bulletins.timing import fixed
from controller.schedules.domain import Airing, Precedence, airing_of, rung_of
from controller.signing.queries import schedules_in_force
from controller.store.schema import devices, precedences, units
from controller.store.scope import within
from protocol.clock import WallMs, local_datetime
from protocol.schedule import Programme
from protocol.units import UnitPath, ancestors, parent


@dataclass(frozen=True, slots=True)
class Planned:
    """Something that may sound.

    Attributes:
        signed: an operator has signed it.
        withdrawn: it leaves with the next signature.
    """

    airing: Airing
    signed: bool
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """Units and devices that exist now.

    Attributes:
        names: of units and of devices, by path.
        devices: places of devices.
    """

    names: Mapping[UnitPath, str]
    devices: tuple[UnitPath, ...]
    population: Mapping[UnitPath, int]

    def is_home(self, unit: UnitPath) -> bool:
        """Whether devices hang directly below; a unit without units below it is meant to get some."""
        if any(parent(place) == unit for place in self.devices):
            return True
        return not any(path != unit and path.startswith(unit + "/") for path in self.names)

    def is_device(self, path: UnitPath) -> bool:
        """Whether the place is a loudspeaker rather than a unit."""
        return path in self.devices

    def homes(self, targets: Iterable[UnitPath]) -> tuple[UnitPath, ...]:
        """Units with devices of their own that are touched by the targets."""
        touched = tuple(targets)
        over = {unit for unit in (parent(place) for place in self.devices) if unit is not None}
        return tuple(sorted(unit for unit in over if any(_meet(unit, target) for target in touched)))

    def name(self, place: str) -> str:
        """What people call the place."""
        return self.names.get(UnitPath(place), place)


def _meet(one: UnitPath, other: UnitPath) -> bool:
    return one in ancestors(other) or other in ancestors(one)


async def load_tree(connection: AsyncConnection, now: WallMs) -> Tree:
    """Everything that exists today: a unit that was merged away takes no new bulletins."""
    today = local_datetime(now).date().isoformat()
    alive = or_(units.c.valid_until.is_(None), units.c.valid_until > today)
    query = select(units.c.path, units.c.name, units.c.population).where(alive).order_by(units.c.path)
    rows = (await connection.execute(query)).all()
    horns = (await connection.execute(select(devices.c.place, devices.c.name).order_by(devices.c.place))).all()
    names = {UnitPath(row.path): row.name for row in rows} | {UnitPath(row.place): row.name for row in horns}
    population = {UnitPath(row.path): row.population for row in rows if row.population is not None}
    return Tree(names, tuple(UnitPath(row.place) for row in horns), population)


async def planned_around(
    connection: AsyncConnection,
    places: Iterable[UnitPath],
    *,
    now: WallMs,
    tree: Tree,
    states: Iterable[State] = (State.APPROVED,),
) -> tuple[Planned, ...]:
    """Everything that may sound in the places: theirs, of the units below them and of those above.

    What is only offered to communes is not planned: the copy that a commune places is.
    """
    places = tuple(places)
    gone = {one.id for one in await bulletins_around(connection, places, [State.WITHDRAWN])}
    signed = [
        Planned(airing_of(item, schedule.scope), signed=True, withdrawn=item.id in gone)
        for schedule in await schedules_in_force(connection, places, above=True)
        for item in schedule.items
    ]
    known = {one.airing.name for one in signed}
    around = await bulletins_around(connection, places, states)
    own = [one for one in around if not is_offered(one, home=tree.is_home(one.unit))]
    waiting = [airing_of_bulletin(one, now) for one in own]
    unsigned = [Planned(one, signed=False) for one in waiting if one is not None and one.name not in known]
    return (*signed, *unsigned)


def airing_of_bulletin(bulletin: Bulletin, now: WallMs) -> Airing | None:
    """A bulletin as something planned; None while it lacks sound, time or targets."""
    if bulletin.content is None or bulletin.timing is None or not bulletin.targets:
        return None
    return Airing(
        bulletin=bulletin.id,
        unit=bulletin.unit,
        title=bulletin.title,
        rung=rung_of(bulletin.bulletin_class, relay=not isinstance(bulletin.content, Programme)),
        when=fixed(bulletin.timing, now),
        duration_ms=bulletin.content.duration_ms,
        targets=bulletin.targets,
    )


async def precedence_around(connection: AsyncConnection, places: Iterable[UnitPath]) -> Precedence:
    """Each unit's word on the order of priority items: what it wants to sign, else what it signed."""
    places = tuple(places)
    said = {one.scope: one.precedence for one in await schedules_in_force(connection, places, above=True)}
    over = sorted({unit for place in places for unit in ancestors(place)})
    query = select(precedences).where(or_(within(precedences.c.unit, places), precedences.c.unit.in_(over)))
    wanted = {UnitPath(row.unit): tuple(json.loads(row.names_json)) for row in await connection.execute(query)}
    return {**said, **wanted}
