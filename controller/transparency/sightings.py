"""What devices obeyed without it being in the log: noticed, kept, and closed by whoever looked into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.people.domain import Role
from controller.store.schema import (
    accounts,
    as_run,
    devices,
    documents,
    log_entries,
    roles,
    standings,
    unlogged,
)
from controller.store.scope import within
from controller.transparency.domain import Claim
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.units import UnitPath, ancestors

SHOWN_MAX: Final = 200
FOR_EACH_DEVICE_MAX: Final = 100
"""A device that lies can fill its own rows and no more."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One document on one device.

    Attributes:
        name: the device's name; its id when it is not enrolled any more.
        wall: when the device says it obeyed; `seen` when its word came.
        logged: when the document entered the log after all.
    """

    device: str
    name: str
    document: str
    kind: str
    place: UnitPath
    wall: WallMs
    seen: WallMs
    logged: WallMs | None
    closed: WallMs | None
    closed_by: str | None
    reason: str | None

    @property
    def open(self) -> bool:
        """Whether somebody must look into it."""
        return self.logged is None and self.closed is None


@dataclass(frozen=True, slots=True)
class Kept:
    """A claim that was new to us.

    Attributes:
        first: whether no device had named this document before.
    """

    claim: Claim
    place: UnitPath
    first: bool


async def keep(connection: AsyncConnection, claims: Sequence[Claim], *, now: WallMs) -> tuple[Kept, ...]:
    """Writes down claims that are not there yet; those of devices nobody enrolled, or that say too much, are not."""
    places = await _places(connection, {one.device for one in claims})
    counts = await _counts(connection, places)
    asked = select(unlogged.c.device, unlogged.c.document)
    wanted = tuple_(unlogged.c.device, unlogged.c.document).in_([(one.device, one.document) for one in claims])
    known = {tuple(row) for row in await connection.execute(asked.where(wanted))}
    documents_known = await _known_documents(connection, {one.document for one in claims})
    made = []
    for claim in claims:
        pair, place = (claim.device, claim.document), places.get(claim.device)
        counts[claim.device] = counts.get(claim.device, 0) + 1
        if place is None or pair in known or counts[claim.device] > FOR_EACH_DEVICE_MAX:
            continue
        made.append(Kept(claim, place, claim.document not in documents_known))
        known.add(pair)
        documents_known.add(claim.document)
    if made:
        await connection.execute(insert(unlogged), [_row(one, now) for one in made])
    return tuple(made)


async def _places(connection: AsyncConnection, named: Iterable[str]) -> dict[str, UnitPath]:
    query = select(devices.c.id, devices.c.place).where(devices.c.id.in_(list(named)))
    return {row.id: UnitPath(row.place) for row in await connection.execute(query)}


async def _counts(connection: AsyncConnection, named: Iterable[str]) -> dict[str, int]:
    query = select(unlogged.c.device, func.count()).where(unlogged.c.device.in_(list(named)))
    rows = await connection.execute(query.group_by(unlogged.c.device))
    return {row[0]: row[1] for row in rows}


async def _known_documents(connection: AsyncConnection, named: Iterable[str]) -> set[str]:
    return set(await connection.scalars(select(unlogged.c.document).where(unlogged.c.document.in_(list(named)))))


def _row(kept: Kept, now: WallMs) -> dict[str, Any]:
    claim = kept.claim
    return {
        "device": claim.device,
        "document": claim.document,
        "kind": claim.kind,
        "place": kept.place,
        "wall_ms": claim.wall,
        "seen_ms": now,
    }


async def stored_claims(connection: AsyncConnection) -> tuple[Claim, ...]:
    """What reports of former days name and the log does not: the word of a device may have come while we stopped."""
    told = select(standings.c.device, standings.c.document, standings.c.wall_ms).where(
        standings.c.standing != "refused", _not_logged(standings.c.document)
    )
    played = select(as_run.c.device, as_run.c.document, as_run.c.began_ms.label("wall_ms")).where(
        as_run.c.document.is_not(None), _not_logged(as_run.c.document)
    )
    rows = [*await connection.execute(told.limit(1000)), *await connection.execute(played.limit(1000))]
    return tuple(Claim(row.device, row.document, "", WallMs(row.wall_ms)) for row in rows)


def _not_logged(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return ~select(log_entries.c.position).where(log_entries.c.digest == column).exists()


def _asked() -> Select[Any]:
    return (
        select(
            unlogged.c.device,
            func.coalesce(devices.c.name, unlogged.c.device),
            unlogged.c.document,
            unlogged.c.kind,
            unlogged.c.place,
            unlogged.c.wall_ms,
            unlogged.c.seen_ms,
            log_entries.c.stored_ms,
            unlogged.c.closed_ms,
            accounts.c.name,
            unlogged.c.reason,
        )
        .outerjoin(devices, devices.c.id == unlogged.c.device)
        .outerjoin(log_entries, log_entries.c.digest == unlogged.c.document)
        .outerjoin(accounts, accounts.c.id == unlogged.c.closed_by)
    )


_OPEN: Final = and_(log_entries.c.digest.is_(None), unlogged.c.closed_ms.is_(None))


async def sightings_within(
    connection: AsyncConnection, scopes: Iterable[UnitPath], *, only_open: bool = False
) -> tuple[Sighting, ...]:
    """Those of devices in the scopes, open ones first, newest first."""
    query = _asked().where(within(unlogged.c.place, scopes))
    if only_open:
        query = query.where(_OPEN)
    query = query.order_by(_OPEN.desc(), unlogged.c.seen_ms.desc(), unlogged.c.document, unlogged.c.device)
    return tuple(Sighting(*row) for row in await connection.execute(query.limit(SHOWN_MAX)))


async def count_open(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> tuple[int, int]:
    """Documents and devices that somebody must look into."""
    query = (
        select(func.count(unlogged.c.document.distinct()), func.count(unlogged.c.device.distinct()))
        .select_from(unlogged.outerjoin(log_entries, log_entries.c.digest == unlogged.c.document))
        .where(within(unlogged.c.place, scopes), _OPEN)
    )
    found, speaking = (await connection.execute(query)).one()
    return found, speaking


async def close(
    connection: AsyncConnection,
    scopes: Iterable[UnitPath],
    document: str | None,
    *,
    account: int,
    reason: str,
    now: WallMs,
) -> tuple[tuple[str, UnitPath], ...]:
    """Writes down why; gives the documents and places it was for. Without a document all that are open are closed."""
    open_ones = unlogged.c.closed_ms.is_(None) & within(unlogged.c.place, scopes)
    if document is not None:
        open_ones &= unlogged.c.document == document
    named = select(unlogged.c.document, unlogged.c.place).where(open_ones)
    found = tuple((row.document, UnitPath(row.place)) for row in await connection.execute(named))
    values = {"closed_ms": now, "closed_by": account, "reason": reason}
    await connection.execute(update(unlogged).where(open_ones).values(**values))
    return found


async def technicians_over(connection: AsyncConnection, place: UnitPath) -> tuple[str, ...]:
    """People who can do something about a device: those nearest to it first."""
    query = (
        select(accounts.c.name, roles.c.scope)
        .join(roles, roles.c.account_id == accounts.c.id)
        .where(
            roles.c.role == Role.TECHNICIAN.value, roles.c.scope.in_(ancestors(place)), accounts.c.active.is_(True)
        )
    )
    rows = (await connection.execute(query)).all()
    return tuple(row.name for row in sorted(rows, key=lambda row: (-len(row.scope), row.name)))


async def offices_over(connection: AsyncConnection, place: UnitPath) -> tuple[str, ...]:
    """Holders of grants under which something for the place can be signed."""
    query = (
        select(documents.c.holder)
        .distinct()
        .where(
            documents.c.kind == Kind.GRANT.value,
            documents.c.state == "in_force",
            documents.c.scope.in_(ancestors(place)),
        )
    )
    return tuple(await connection.scalars(query.order_by(documents.c.holder)))
