"""Changes of the tree: new units, merges, moves and ends, each with its date. Nothing is ever deleted."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from controller.units.domain import Unit
from controller.units.queries import add_units, end_units, unit_at, units_within
from controller.web.explained import N_, Explained
from protocol.limits import UNIT_DEPTH_MAX
from protocol.units import UnitPath, covers, depth


async def add_unit(connection: AsyncConnection, unit: Unit) -> None:
    """Writes a new unit.

    Raises:
        Explained: its code was used before, perhaps by a unit that is no more.
    """
    if await unit_at(connection, unit.path) is not None:
        raise Explained(N_("This code is taken in this unit, now or in former times. Choose another code."))
    await add_units(connection, (unit,))


async def merge_unit(connection: AsyncConnection, unit: Unit, *, into: UnitPath, day: str) -> None:
    """Ends a unit and all below it; another one takes its place from that day."""
    target = await _open_on(connection, into, day)
    if covers(unit.path, target.path):
        raise Explained(N_("A unit cannot be merged into itself or into a part of itself."))
    _check_end(unit, day)
    await end_units(connection, unit.path, day=day, into=into)


async def move_unit(connection: AsyncConnection, unit: Unit, *, below: UnitPath, day: str) -> UnitPath:
    """Ends a unit where it is and begins it, with all below it, under another one; gives its new path."""
    above = await _open_on(connection, below, day)
    if covers(unit.path, above.path):
        raise Explained(N_("A unit cannot be moved into itself or into a part of itself."))
    _check_end(unit, day)
    fresh = UnitPath(f"{below}/{unit.path.rpartition('/')[2]}")
    if await unit_at(connection, fresh) is not None:
        raise Explained(N_("This code is taken in this unit, now or in former times. Choose another code."))
    subtree = await units_within(connection, (unit.path,), day=day)
    moved = [replace(one, path=UnitPath(fresh + one.path[len(unit.path) :]), valid_from=day) for one in subtree]
    if max(depth(one.path) for one in moved) > UNIT_DEPTH_MAX:
        raise Explained(N_("The tree would become too deep."))
    await end_units(connection, unit.path, day=day, into=fresh)
    await add_units(connection, moved)
    return fresh


async def end_unit(connection: AsyncConnection, unit: Unit, *, day: str) -> None:
    """Ends a unit and all below it."""
    _check_end(unit, day)
    await end_units(connection, unit.path, day=day, into=None)


async def _open_on(connection: AsyncConnection, path: UnitPath, day: str) -> Unit:
    unit = await unit_at(connection, path)
    if unit is None or not unit.valid_on(day):
        raise Explained(N_("The chosen unit is not there on that date."))
    return unit


def _check_end(unit: Unit, day: str) -> None:
    if unit.valid_until is not None:
        raise Explained(N_("This unit has ended already."))
    if day <= unit.valid_from:
        raise Explained(N_("The date must be later than the day on which the unit began."))
