"""What publishing reads of the signed documents, and what it writes back."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.signing.domain import AT_ONCE, VERSIONED, DocumentState
from controller.signing.queries import StoredDocument, stored_document
from controller.store.schema import documents
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import unpack
from protocol.freshness import Newest
from protocol.grants import Anchor, HeldGrant, accept_all
from protocol.units import UnitPath, ancestors

logger = logging.getLogger(__name__)

IN_PARCELS = (Kind.GRANT, *VERSIONED)


async def held_grants(connection: AsyncConnection, anchor: Anchor) -> dict[str, HeldGrant]:
    """Every grant that holds, by digest: verified again, so a row that was edited by hand authorises nothing here."""
    query = select(documents.c.envelope).where(
        documents.c.kind == Kind.GRANT.value, documents.c.state == DocumentState.IN_FORCE.value
    )
    rows = await connection.execute(query.order_by(documents.c.stored_ms))
    held, left = accept_all((unpack(row.envelope) for row in rows), anchor, {})
    if left:
        logger.error("%d stored grants do not hold under the anchor and are left out", len(left))
    return held


async def parcel_documents(connection: AsyncConnection, unit: UnitPath, now: WallMs) -> tuple[StoredDocument, ...]:
    """What a unit's parcel carries before its head: grants first, then configuration, then schedule."""
    alive = or_(documents.c.expires_ms.is_(None), documents.c.expires_ms > now)
    query = select(documents).where(
        documents.c.scope == unit,
        documents.c.kind.in_([kind.value for kind in IN_PARCELS]),
        documents.c.state == DocumentState.IN_FORCE.value,
        alive,
    )
    rank = {kind.value: position for position, kind in enumerate((Kind.GRANT, Kind.AUDIBLE_CONFIG, Kind.SCHEDULE))}
    order = case(rank, value=documents.c.kind)
    rows = await connection.execute(query.order_by(order, documents.c.stored_ms, documents.c.digest))
    return tuple(stored_document(row) for row in rows)


async def units_with_documents(connection: AsyncConnection) -> tuple[UnitPath, ...]:
    """Units that have, or had, something for a parcel: one whose documents ended is told so by its head."""
    query = (
        select(documents.c.scope)
        .distinct()
        .where(
            documents.c.kind.in_([kind.value for kind in IN_PARCELS]),
            documents.c.state != DocumentState.PARTIAL.value,
        )
    )
    return tuple(UnitPath(scope) for scope in await connection.scalars(query.order_by(documents.c.scope)))


async def documents_waiting(connection: AsyncConnection, now: WallMs) -> tuple[tuple[UnitPath, str], ...]:
    """Unit and digest of what is in force and the broker has not taken yet."""
    query = select(documents.c.scope, documents.c.digest).where(
        documents.c.kind.in_([kind.value for kind in IN_PARCELS]),
        documents.c.state == DocumentState.IN_FORCE.value,
        documents.c.published_ms.is_(None),
        or_(documents.c.expires_ms.is_(None), documents.c.expires_ms > now),
    )
    return tuple((UnitPath(row.scope), row.digest) for row in await connection.execute(query))


async def alerts_alive(connection: AsyncConnection, now: WallMs) -> tuple[StoredDocument, ...]:
    """Alerts, cancels, stops and live sessions that have not expired; cancels first, then in order of storing."""
    query = select(documents).where(
        documents.c.kind.in_([kind.value for kind in AT_ONCE]),
        documents.c.state == DocumentState.IN_FORCE.value,
        documents.c.expires_ms > now,
    )
    order = case((documents.c.kind == Kind.CANCEL.value, 0), else_=1)
    rows = await connection.execute(query.order_by(order, documents.c.stored_ms, documents.c.digest))
    return tuple(stored_document(row) for row in rows)


async def mark_published(connection: AsyncConnection, digests: Iterable[str], now: WallMs) -> None:
    """The broker has taken them."""
    await connection.execute(
        update(documents)
        .where(documents.c.digest.in_(list(digests)), documents.c.published_ms.is_(None))
        .values(published_ms=now)
    )


async def newest_versions(connection: AsyncConnection, unit: UnitPath) -> tuple[Newest, ...]:
    """The newest version of each kind along a unit's ancestors, for its head."""
    query = select(documents.c.scope, documents.c.kind, func.max(documents.c.version).label("version")).where(
        documents.c.scope.in_(ancestors(unit)),
        documents.c.kind.in_([kind.value for kind in VERSIONED]),
        documents.c.state == DocumentState.IN_FORCE.value,
    )
    rows = await connection.execute(query.group_by(documents.c.scope, documents.c.kind).order_by(documents.c.scope))
    return tuple(Newest(UnitPath(row.scope), row.kind, row.version) for row in rows)


async def end_expired(connection: AsyncConnection, now: WallMs) -> None:
    """Documents whose life is over leave the lists."""
    alive = [DocumentState.PARTIAL.value, DocumentState.PREPARED.value, DocumentState.IN_FORCE.value]
    over = and_(documents.c.state.in_(alive), documents.c.expires_ms <= now)
    await connection.execute(update(documents).where(over).values(state=DocumentState.ENDED.value))
