"""What publishing reads of the signed documents, and what it writes back."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from sqlalchemy import and_, case, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.signing.domain import AT_ONCE, VERSIONED, DocumentState
from controller.signing.queries import StoredDocument, denials_in_force, stored_document
from controller.store.schema import devices, documents
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import unpack
from protocol.freshness import Newest
from protocol.grants import Anchor, HeldGrant, accept_all
from protocol.units import UnitPath, ancestors, covers

logger = logging.getLogger(__name__)

NEWEST_MAX: Final = 64
"""As many as a head may name (`protocol.freshness`)."""

IN_PARCELS = (Kind.GRANT, Kind.DENIAL, *VERSIONED)


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


async def documents_of(connection: AsyncConnection, unit: UnitPath, now: WallMs) -> tuple[StoredDocument, ...]:
    """Everything in force of a unit that its parcel may carry: by kind, then in the order in which it came."""
    alive = or_(documents.c.expires_ms.is_(None), documents.c.expires_ms > now)
    query = select(documents).where(
        documents.c.scope == unit,
        documents.c.kind.in_([kind.value for kind in IN_PARCELS]),
        documents.c.state == DocumentState.IN_FORCE.value,
        alive,
    )
    kinds = (Kind.GRANT, Kind.DENIAL, Kind.AUDIBLE_CONFIG, Kind.SCHEDULE)
    order = case({kind.value: position for position, kind in enumerate(kinds)}, value=documents.c.kind)
    rows = await connection.execute(query.order_by(order, documents.c.stored_ms, documents.c.digest))
    return tuple(stored_document(row) for row in rows)


async def documents_named(connection: AsyncConnection, digests: Iterable[str]) -> tuple[StoredDocument, ...]:
    """Documents in force by digest, oldest first."""
    wanted, found = sorted(set(digests)), []
    for begin in range(0, len(wanted), 500):  # SQLite bounds the variables of a statement
        query = select(documents).where(
            documents.c.digest.in_(wanted[begin : begin + 500]), documents.c.state == DocumentState.IN_FORCE.value
        )
        found += [stored_document(row) for row in await connection.execute(query)]
    return tuple(sorted(found, key=lambda one: (one.issued, one.digest)))


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


async def documents_waiting(
    connection: AsyncConnection, now: WallMs, *, kinds: Iterable[Kind] = IN_PARCELS
) -> tuple[tuple[UnitPath, str], ...]:
    """Unit and digest of what is in force and the broker has not taken yet."""
    query = select(documents.c.scope, documents.c.digest).where(
        documents.c.kind.in_([kind.value for kind in kinds]),
        documents.c.state == DocumentState.IN_FORCE.value,
        documents.c.published_ms.is_(None),
        or_(documents.c.expires_ms.is_(None), documents.c.expires_ms > now),
    )
    return tuple((UnitPath(row.scope), row.digest) for row in await connection.execute(query))


async def words_waiting(connection: AsyncConnection) -> tuple[tuple[UnitPath, str], ...]:
    """Place and digest of each assignment that the broker has not taken yet."""
    query = (
        select(devices.c.place, devices.c.former_place, documents.c.digest)
        .join(documents, documents.c.digest == devices.c.word)
        .where(documents.c.state == DocumentState.IN_FORCE.value, documents.c.published_ms.is_(None))
    )
    rows = (await connection.execute(query)).all()
    places = ((place, row.digest) for row in rows for place in (row.place, row.former_place))
    return tuple((UnitPath(place), digest) for place, digest in places if place is not None)


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
    """The newest version of each kind along a unit's ancestors, and the deny epochs, for its head."""
    query = select(documents.c.scope, documents.c.kind, func.max(documents.c.version).label("version")).where(
        documents.c.scope.in_(ancestors(unit)),
        documents.c.kind.in_([kind.value for kind in VERSIONED]),
        documents.c.state == DocumentState.IN_FORCE.value,
    )
    rows = await connection.execute(query.group_by(documents.c.scope, documents.c.kind).order_by(documents.c.scope))
    versions = [Newest(UnitPath(row.scope), row.kind, row.version) for row in rows]
    denied = [one for _, one in await denials_in_force(connection) if covers(one.scope, unit)]
    epochs = [Newest(one.scope, f"{Kind.DENIAL}/{one.grantor}", one.epoch) for one in denied]
    return tuple((*versions, *epochs)[:NEWEST_MAX])


async def end_expired(connection: AsyncConnection, now: WallMs) -> bool:
    """Documents whose life is over leave the lists; gives whether any did, or came back.

    What a clock that ran ahead has ended comes back when the clock is right: an hour in the wrong year must not cost
    a province its grants. Only what devices obeyed before does, and only while nothing newer has taken its place.
    """
    alive = [DocumentState.PARTIAL.value, DocumentState.PREPARED.value, DocumentState.IN_FORCE.value]
    over = and_(documents.c.state.in_(alive), documents.c.expires_ms <= now)
    ended = await connection.execute(update(documents).where(over).values(state=DocumentState.ENDED.value))
    newer = documents.alias()
    replaced = exists().where(
        newer.c.scope == documents.c.scope,
        newer.c.kind == documents.c.kind,
        newer.c.kind.in_([kind.value for kind in VERSIONED]),
        newer.c.version > documents.c.version,
        newer.c.state != DocumentState.PARTIAL.value,
    )
    ended_early = and_(
        documents.c.state == DocumentState.ENDED.value,
        documents.c.kind.in_([Kind.GRANT.value, *(kind.value for kind in VERSIONED)]),
        documents.c.published_ms.is_not(None),
        documents.c.expires_ms > now,
        ~replaced,
    )
    again = await connection.execute(update(documents).where(ended_early).values(state=DocumentState.IN_FORCE.value))
    return ended.rowcount + again.rowcount > 0
