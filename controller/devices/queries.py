"""Reads and writes the table of devices. Every list is limited by the scopes of whoever asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.devices.token import token_hash
from controller.store.schema import devices, documents
from controller.store.scope import within
from protocol.clock import WallMs
from protocol.units import UnitPath, unit_path

RETIRED: Final = UnitPath("retired")
"""Devices out of service stand below this path: within nobody's units, and counted nowhere."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A device as it was enrolled.

    Attributes:
        place: its own leaf in the tree; the unit above is its home.
        former: the place it was moved from, until it says that it has followed.
        clone_sign, clone_seen: why and since when a second box is thought to use its identity.
    """

    id: str
    place: UnitPath
    name: str
    lat: float | None = None
    lon: float | None = None
    former: UnitPath | None = None
    clone_sign: str | None = None
    clone_seen: WallMs | None = None

    @property
    def places(self) -> tuple[UnitPath, ...]:
        """Where it may listen: a device on the way still needs the word that moves it."""
        return (self.place,) if self.former is None else (self.place, self.former)


async def device_named(connection: AsyncConnection, device: str) -> Enrolled | None:
    """The device of an id, for those who know already who it is; never for a page."""
    row = (await connection.execute(select(devices).where(devices.c.id == device))).first()
    return enrolled_of(row) if row else None


async def all_devices(connection: AsyncConnection) -> tuple[Enrolled, ...]:
    """Everything that is enrolled, for the ingest; never for a page."""
    rows = await connection.execute(select(devices))
    return tuple(enrolled_of(row) for row in rows)


async def devices_within(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> tuple[Enrolled, ...]:
    """Devices in the scopes, by place."""
    rows = await connection.execute(select(devices).where(within(devices.c.place, scopes)).order_by(devices.c.place))
    return tuple(enrolled_of(row) for row in rows)


async def device_within(
    connection: AsyncConnection, device: str, scopes: Iterable[UnitPath]
) -> Row[tuple[object, ...]] | None:
    """One device's row, if whoever asks may see it."""
    asked = select(devices).where(devices.c.id == device, within(devices.c.place, scopes))
    return (await connection.execute(asked)).first()


async def is_taken(connection: AsyncConnection, device: str, place: UnitPath) -> bool:
    """Whether the id or the place belongs to a device already."""
    asked = select(devices.c.id).where(or_(devices.c.id == device, devices.c.place == place))
    return await connection.scalar(asked) is not None


async def add_device(connection: AsyncConnection, device: Enrolled, *, token: str, now: WallMs) -> bool:
    """Enrols; False when the id or the place is taken. An empty token opens nothing: a certificate will."""
    try:
        await connection.execute(
            insert(devices).values(
                id=device.id,
                place=device.place,
                name=device.name,
                token_hash=token_hash(token) if token else "",
                enrolled_ms=now,
                online=False,
                lat=device.lat,
                lon=device.lon,
            )
        )
    except IntegrityError:
        return False
    return True


async def mark_links_unknown(connection: AsyncConnection) -> None:
    """At start nobody is known to be connected."""
    await connection.execute(update(devices).values(online=False))


async def last_words(connection: AsyncConnection) -> tuple[tuple[str, WallMs, str], ...]:
    """The last status of each device as it was stored, for the start: device, time, JSON."""
    asked = select(devices.c.id, devices.c.seen_ms, devices.c.status_json).where(devices.c.status_json.is_not(None))
    return tuple((device, WallMs(seen or 0), text) for device, seen, text in await connection.execute(asked))


async def waiting_documents(connection: AsyncConnection, scopes: Iterable[UnitPath], *, now: WallMs) -> int:
    """How many signed documents in the scopes the broker has not taken yet."""
    columns = documents.c
    alive = or_(columns.expires_ms.is_(None), columns.expires_ms > now)
    asked = select(func.count()).where(
        columns.state == "in_force", columns.published_ms.is_(None), alive, within(columns.scope, scopes)
    )
    return (await connection.execute(asked)).scalar_one()


def enrolled_of(row: Row[tuple[object, ...]] | Mapping[str, Any]) -> Enrolled:
    """A device's row as the domain has it."""
    fields = row._mapping if isinstance(row, Row) else row
    former = fields["former_place"]
    return Enrolled(
        fields["id"],
        unit_path(fields["place"]),
        fields["name"],
        lat=fields["lat"],
        lon=fields["lon"],
        former=unit_path(former) if former else None,
        clone_sign=fields["clone_sign"],
        clone_seen=fields["clone_ms"],
    )
