"""Devices with their words, and the units of all times."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.devices.queries import RETIRED
from controller.placements.domain import Sited
from controller.store.schema import devices
from controller.store.scope import within
from controller.units.domain import Unit
from controller.units.queries import units_within
from protocol.clock import WallMs
from protocol.units import UnitPath, covers


async def sited_within(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> tuple[Sited, ...]:
    """Devices that belong into the scopes, or come from there."""
    wanted = tuple(scopes)
    columns = devices.c
    query = select(columns.id, columns.name, columns.place, columns.former_place, columns.word_ms).where(
        or_(within(columns.place, wanted), within(columns.former_place, wanted))
    )
    rows = await connection.execute(query.order_by(columns.place))
    return tuple(
        Sited(
            row.id,
            row.name,
            UnitPath(row.place),
            UnitPath(row.former_place) if row.former_place else None,
            WallMs(row.word_ms) if row.word_ms is not None else None,
        )
        for row in rows
    )


async def all_units(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> dict[UnitPath, Unit]:
    """Units of all times below the tops of some scopes: what a merged one became may lie beside it."""
    tops = {UnitPath("/".join(one.split("/")[:2])) for one in scopes}
    return {unit.path: unit for unit in await units_within(connection, tops)}


def is_retired(device: Sited) -> bool:
    """Whether it is out of service."""
    return covers(RETIRED, device.place)
