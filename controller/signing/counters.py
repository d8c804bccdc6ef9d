"""Numbers that only grow: versions of a unit's documents, and the one row that replays are known by."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.store.schema import counters
from protocol.clock import WallMs
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


async def next_sequence(connection: AsyncConnection, scope: UnitPath, *, now: WallMs) -> int:
    """Takes the next number for an alert, a stop or a live session.

    It is not below the minutes of the clock: devices never tell which numbers they have seen, so a controller that
    was given an older backup would give out used ones, and its emergencies would be refused as replays. Minutes,
    since a device takes numbers out of order while they are less than `SEQUENCE_WINDOW` (64) apart, and what waits
    for its second signature for longer than that is over.
    """
    number = max(await counter(connection, scope, SEQUENCE) + 1, now // 60_000)
    await raise_counter(connection, scope, SEQUENCE, value=number)
    return number
