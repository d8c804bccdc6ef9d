"""How far a bulletin has come on each loudspeaker that should sound it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.bulletins.domain import Bulletin
from controller.signing.queries import in_force
from controller.store.schema import devices, standings
from controller.store.scope import within
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.report import Standing
from protocol.units import UnitPath

WAITING: Final = "waiting"
ORDER: Final = (WAITING, *(standing.value for standing in Standing))


@dataclass(frozen=True, slots=True)
class DeviceStanding:
    """One loudspeaker.

    Attributes:
        standing: a `Standing`, or `waiting` while nothing was heard of it.
        refusal: why, when it was refused.
    """

    device: str
    place: UnitPath
    name: str
    standing: str
    wall: WallMs | None = None
    refusal: str | None = None


async def standings_of(connection: AsyncConnection, bulletin: Bulletin) -> tuple[DeviceStanding, ...]:
    """Every loudspeaker under the targets, by place.

    What a device told about the item itself is its newest word; else what it told about the schedule in force.
    """
    document = await in_force(connection, bulletin.unit, Kind.SCHEDULE)
    digest = document.digest if document else ""
    query = select(devices.c.id, devices.c.place, devices.c.name).where(within(devices.c.place, bulletin.targets))
    horns = (await connection.execute(query.order_by(devices.c.place))).all()
    columns = standings.c
    about = or_(columns.item == bulletin.id, (columns.document == digest) & (columns.item == ""))
    rows = await connection.execute(select(standings).where(about).order_by(columns.wall_ms))
    told: dict[str, tuple[bool, str, int, str | None]] = {}
    for row in rows:
        former = told.get(row.device)
        if former is None or _overrules(row.item != "", row.standing, former):
            told[row.device] = (row.item != "", row.standing, row.wall_ms, row.refusal)
    return tuple(_device(horn.id, UnitPath(horn.place), horn.name, told.get(horn.id)) for horn in horns)


async def has_standings(connection: AsyncConnection, bulletin: str) -> bool:
    """Whether any loudspeaker ever told something about it."""
    query = select(standings.c.device).where(standings.c.item == bulletin).limit(1)
    return await connection.scalar(query) is not None


def _overrules(is_item: bool, standing: str, former: tuple[bool, str, int, str | None]) -> bool:
    return is_item or not former[0] or standing == Standing.REFUSED.value


def _device(
    device: str, place: UnitPath, name: str, told: tuple[bool, str, int, str | None] | None
) -> DeviceStanding:
    if told is None:
        return DeviceStanding(device, place, name, WAITING)
    return DeviceStanding(device, place, name, told[1], WallMs(told[2]), told[3])


def counted(found: Iterable[DeviceStanding]) -> dict[str, int]:
    """Number of loudspeakers for each standing, in the order of the way."""
    counts = Counter(one.standing for one in found)
    return {name: counts[name] for name in ORDER if counts[name]}


async def counts_of(connection: AsyncConnection, bulletin: Bulletin) -> dict[str, int]:
    """The same, for the API."""
    return counted(await standings_of(connection, bulletin))
