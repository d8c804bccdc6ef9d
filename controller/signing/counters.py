"""Numbers that only grow: versions of a unit's documents, and the one row that replays are known by."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.store.schema import counters
from protocol.units import UnitPath

SEQUENCE = "sequence"
"""One row of numbers for alerts, stops and live sessions of a unit: devices look for replays in it."""


async def counter(connection: AsyncConnection, scope: UnitPath, name: str) -> int:
    """The last number that was given out; 0 before the first."""
    query = select(counters.c.value).where(counters.c.scope == scope, counters.c.name == name)
    return (await connection.execute(query)).scalar_one_or_none() or 0


async def raise_counter(connection: AsyncConnection, scope: UnitPath, name: str, *, value: int) -> None:
    """The counter is at least this afterwards."""
    same = (counters.c.scope == scope) & (counters.c.name == name)
    if await counter(connection, scope, name) >= value:
        return
    changed = await connection.execute(update(counters).where(same).values(value=value))
    if changed.rowcount == 0:
        await connection.execute(insert(counters).values(scope=scope, name=name, value=value))


async def next_sequence(connection: AsyncConnection, scope: UnitPath) -> int:
    """Takes the next number for an alert, a stop or a live session."""
    number = await counter(connection, scope, SEQUENCE) + 1
    await raise_counter(connection, scope, SEQUENCE, value=number)
    return number
