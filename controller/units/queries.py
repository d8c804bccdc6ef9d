"""Units in the database, limited to those a viewer may see."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, RowMapping, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.store.schema import units
from controller.store.scope import within
from controller.units.domain import Unit, matches
from protocol.clock import WallMs, local_datetime
from protocol.units import UnitPath, ancestors

SEARCH_MAX = 50


def today(at: WallMs) -> str:
    """The local date of an instant as YYYY-MM-DD."""
    return local_datetime(at).date().isoformat()


def _unit(row: RowMapping) -> Unit:
    above = row["merged_into"]
    return Unit(
        path=UnitPath(row["path"]),
        name=row["name"],
        label=row["label"],
        population=row["population"],
        households=row["households"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        merged_into=UnitPath(above) if above else None,
    )


def _valid(day: str) -> ColumnElement[bool]:
    return and_(units.c.valid_from <= day, or_(units.c.valid_until.is_(None), units.c.valid_until > day))


async def units_within(
    connection: AsyncConnection, scopes: Iterable[UnitPath], *, day: str | None = None
) -> tuple[Unit, ...]:
    """All units in some scopes, on a date or of all times, ordered by path."""
    query = select(units).where(within(units.c.path, scopes)).order_by(units.c.path)
    if day is not None:
        query = query.where(_valid(day))
    return tuple(_unit(row) for row in (await connection.execute(query)).mappings())


async def unit_at(connection: AsyncConnection, path: UnitPath) -> Unit | None:
    """One unit, of whatever time."""
    row = (await connection.execute(select(units).where(units.c.path == path))).mappings().one_or_none()
    return None if row is None else _unit(row)


async def children_of(connection: AsyncConnection, path: UnitPath, *, day: str) -> tuple[Unit, ...]:
    """Units directly below, by name."""
    below = await units_within(connection, (path,), day=day)
    return tuple(sorted((unit for unit in below if unit.parent == path), key=lambda unit: unit.order))


async def names_of(connection: AsyncConnection, paths: Iterable[UnitPath]) -> dict[UnitPath, str]:
    """Names by path; a path without a unit, such as a device's, is left out."""
    wanted = sorted(set(paths))
    names: dict[UnitPath, str] = {}
    for begin in range(0, len(wanted), 500):  # SQLite bounds the variables of a statement
        part = wanted[begin : begin + 500]
        query = select(units.c.path, units.c.name).where(units.c.path.in_(part))
        names.update({UnitPath(row.path): row.name for row in await connection.execute(query)})
    return names


async def trail_of(connection: AsyncConnection, path: UnitPath) -> tuple[tuple[UnitPath, str], ...]:
    """The unit and all above it with their names, widest first."""
    names = await names_of(connection, ancestors(path))
    return tuple((place, names[place]) for place in ancestors(path) if place in names)


async def search_units(
    connection: AsyncConnection, wanted: str, *, scopes: Iterable[UnitPath], day: str
) -> tuple[Unit, ...]:
    """Units whose names begin with what was typed, with or without Vietnamese marks."""
    found = [unit for unit in await units_within(connection, scopes, day=day) if matches(unit, wanted)]
    return tuple(sorted(found, key=lambda unit: unit.order))[:SEARCH_MAX]


async def people_below(connection: AsyncConnection, targets: Iterable[UnitPath], *, day: str) -> int | None:
    """Roughly how many people live in some units, counting each once, or None when no count is known.

    A unit's own count stands for all below it.
    """
    known = {unit.path: unit for unit in await units_within(connection, targets, day=day) if unit.population}
    widest = [unit for path, unit in known.items() if not any(above in known for above in ancestors(path)[:-1])]
    return sum(unit.population or 0 for unit in widest) if widest else None


async def add_units(connection: AsyncConnection, new: Iterable[Unit]) -> None:
    """Writes units that are not there yet."""
    rows = [
        {
            "path": unit.path,
            "name": unit.name,
            "label": unit.label,
            "population": unit.population,
            "households": unit.households,
            "valid_from": unit.valid_from,
            "valid_until": unit.valid_until,
            "merged_into": unit.merged_into,
        }
        for unit in new
    ]
    if rows:
        await connection.execute(insert(units), rows)


async def set_people(
    connection: AsyncConnection, path: UnitPath, *, name: str, population: int | None, households: int | None
) -> None:
    """Changes the name and the numbers of a unit."""
    values = {"name": name, "population": population, "households": households}
    await connection.execute(update(units).where(units.c.path == path).values(**values))


async def end_units(connection: AsyncConnection, path: UnitPath, *, day: str, into: UnitPath | None) -> None:
    """Ends a unit and all below it on a date; `into` says what became of the unit itself."""
    open_still = within(units.c.path, (path,)) & units.c.valid_until.is_(None)
    await connection.execute(update(units).where(open_still).values(valid_until=day))
    await connection.execute(update(units).where(units.c.path == path).values(merged_into=into))
