"""What is stored about devices: faults, refusals, standings of documents. Limited by the scopes of whoever asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.store.schema import bulletins, devices, documents, faults, refusals, standings
from controller.store.scope import within
from protocol.clock import WallMs
from protocol.units import UnitPath

LIST_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class FaultSeen:
    """A fault of a device, open while `ended` is None."""

    code: str
    began: WallMs
    detail: str
    ended: WallMs | None


@dataclass(frozen=True, slots=True)
class RefusalSeen:
    """A device refused something.

    Attributes:
        scope: the unit whose document it was, when the controller knows the document.
    """

    device: str
    name: str
    place: UnitPath
    document: str
    kind: str
    refusal: str
    detail: str | None
    wall: WallMs
    received: WallMs
    scope: UnitPath | None


@dataclass(frozen=True, slots=True)
class StandingSeen:
    """How far a document, or one item of it, has come on a device."""

    device: str
    document: str
    item: str | None
    standing: str
    refusal: str | None
    wall: WallMs
    kind: str | None = None
    version: int | None = None
    detail: str | None = None


async def faults_of(connection: AsyncConnection, device: str, *, limit: int = 20) -> tuple[FaultSeen, ...]:
    """A device's faults, open ones first, then the newest."""
    columns = faults.c
    asked = select(columns.code, columns.began_ms, columns.detail, columns.ended_ms).where(columns.device == device)
    ordered = asked.order_by(columns.ended_ms.is_not(None), columns.began_ms.desc()).limit(limit)
    return tuple(FaultSeen(*row) for row in await connection.execute(ordered))


async def refusals_within(
    connection: AsyncConnection,
    scopes: Iterable[UnitPath],
    *,
    device: str | None = None,
    since: int = 0,
    until: int | None = None,
    limit: int = LIST_MAX,
) -> tuple[RefusalSeen, ...]:
    """What devices in the scopes refused, newest first."""
    columns = refusals.c
    asked = (
        select(
            columns.device,
            devices.c.name,
            devices.c.place,
            columns.document,
            columns.kind,
            columns.refusal,
            columns.detail,
            columns.wall_ms,
            columns.received_ms,
            documents.c.scope,
        )
        .join(devices, devices.c.id == columns.device)
        .outerjoin(documents, documents.c.digest == columns.document)
        .where(within(devices.c.place, scopes), columns.received_ms >= since)
        .order_by(columns.received_ms.desc(), columns.id.desc())
        .limit(limit)
    )
    if device is not None:
        asked = asked.where(columns.device == device)
    if until is not None:
        asked = asked.where(columns.received_ms < until)
    return tuple(RefusalSeen(*tuple(row)) for row in await connection.execute(asked))


async def standings_of(connection: AsyncConnection, device: str, *, limit: int = 30) -> tuple[StandingSeen, ...]:
    """What a device last told about its documents, newest first."""
    columns = standings.c
    asked = (
        select(standings, documents.c.version, documents.c.kind.label("signed_kind"))
        .outerjoin(documents, documents.c.digest == columns.document)
        .where(columns.device == device)
        .order_by(columns.wall_ms.desc(), columns.received_ms.desc())
    )
    rows = await connection.execute(asked.limit(limit))
    return tuple(
        StandingSeen(
            row.device,
            row.document,
            row.item or None,
            row.standing,
            row.refusal,
            row.wall_ms,
            kind=row.signed_kind or row.kind,
            version=row.version,
            detail=row.detail,
        )
        for row in rows
    )


async def standings_for(
    connection: AsyncConnection, document: str, scopes: Iterable[UnitPath], *, item: str | None = None
) -> tuple[StandingSeen, ...]:
    """What the devices in the scopes told about one document, or about one item of it."""
    columns = standings.c
    asked = (
        select(columns.device, columns.document, columns.item, columns.standing, columns.refusal, columns.wall_ms)
        .join(devices, devices.c.id == columns.device)
        .where(columns.document == document, columns.item == (item or ""), within(devices.c.place, scopes))
    )
    return tuple(_standing(*row) for row in await connection.execute(asked))


async def standing_counts(
    connection: AsyncConnection, document: str, scopes: Iterable[UnitPath], *, item: str | None = None
) -> Mapping[str, int]:
    """How many devices in the scopes have come how far."""
    found = await standings_for(connection, document, scopes, item=item)
    return Counter(one.standing for one in found)


async def item_titles(connection: AsyncConnection, items: Iterable[str | None]) -> dict[str, str]:
    """Titles of schedule items: an item carries the id of its bulletin."""
    wanted = sorted({one for one in items if one})
    asked = select(bulletins.c.id, bulletins.c.title).where(bulletins.c.id.in_(wanted[:500]))
    rows = (await connection.execute(asked)).all() if wanted else []
    return {row.id: row.title for row in rows}


def _standing(device: str, document: str, item: str, standing: str, refusal: str | None, wall: int) -> StandingSeen:
    return StandingSeen(device, document, item or None, standing, refusal, WallMs(wall))
