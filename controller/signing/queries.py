"""Signed documents in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.signing.domain import DocumentState, version_of
from controller.signing.judging import Judgement
from controller.store.schema import documents
from controller.store.scope import within
from protocol import codec
from protocol.audible_config import AudibleConfig, Window
from protocol.clock import WallMs
from protocol.denial import Denial
from protocol.document import Kind, read
from protocol.envelope import Envelope, unpack
from protocol.grants import Grant
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX
from protocol.schedule import Schedule
from protocol.units import UnitPath, ancestors


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A row of the table."""

    digest: str
    scope: UnitPath
    kind: Kind
    version: int | None
    state: DocumentState
    envelope: Envelope
    holder: str
    signers: tuple[str, ...]
    issued: WallMs
    expires: WallMs | None
    stored: WallMs
    published: WallMs | None


def stored_document(row: Row[Any]) -> StoredDocument:
    """A row as a document."""
    return StoredDocument(
        digest=row.digest,
        scope=UnitPath(row.scope),
        kind=Kind(row.kind),
        version=row.version,
        state=DocumentState(row.state),
        envelope=unpack(row.envelope),
        holder=row.holder,
        signers=tuple(json.loads(row.signers_json)),
        issued=WallMs(row.issued_ms),
        expires=None if row.expires_ms is None else WallMs(row.expires_ms),
        stored=WallMs(row.stored_ms),
        published=None if row.published_ms is None else WallMs(row.published_ms),
    )


async def load_document(connection: AsyncConnection, digest: str) -> StoredDocument | None:
    """One document, whatever its state."""
    row = (await connection.execute(select(documents).where(documents.c.digest == digest))).one_or_none()
    return None if row is None else stored_document(row)


async def store_document(
    connection: AsyncConnection,
    judgement: Judgement,
    envelope: Envelope,
    *,
    state: DocumentState,
    now: WallMs,
    replace: bool,
) -> None:
    """Writes a document, or replaces the partly signed one of the same digest."""
    document = judgement.document
    values = {
        "digest": judgement.digest,
        "scope": document.scope,
        "kind": judgement.kind.value,
        "version": version_of(document),
        "sequence": getattr(document, "sequence", None),
        "state": state.value,
        "envelope": envelope.pack(),
        "holder": judgement.holder,
        "signers_json": json.dumps(sorted(judgement.signers)),
        "issued_ms": document.not_before if isinstance(document, Grant) else document.issued,
        "expires_ms": getattr(document, "expires", None),
        "stored_ms": now,
        "published_ms": None,
    }
    if replace:
        await connection.execute(delete(documents).where(documents.c.digest == judgement.digest))
    await connection.execute(insert(documents).values(**values))


async def set_state(connection: AsyncConnection, digests: Iterable[str], state: DocumentState) -> None:
    """Moves documents on; a released one waits for the broker anew."""
    wanted = list(digests)
    if wanted:
        await connection.execute(update(documents).where(documents.c.digest.in_(wanted)).values(state=state.value))


async def in_force(connection: AsyncConnection, scope: UnitPath, kind: Kind) -> StoredDocument | None:
    """The newest document of a kind that a unit's devices obey."""
    query = select(documents).where(
        documents.c.scope == scope, documents.c.kind == kind.value, documents.c.state == DocumentState.IN_FORCE.value
    )
    row = (await connection.execute(query.order_by(documents.c.version.desc()).limit(1))).one_or_none()
    return None if row is None else stored_document(row)


async def schedule_in_force(connection: AsyncConnection, unit: UnitPath) -> tuple[StoredDocument, Schedule] | None:
    """A unit's signed schedule."""
    found = await in_force(connection, unit, Kind.SCHEDULE)
    return None if found is None else (found, read_schedule(found.envelope))


def read_schedule(envelope: Envelope) -> Schedule:
    """The schedule in an envelope that was verified when it was stored."""
    return codec.decode(Schedule, envelope.payload, bytes_max=ENVELOPE_BYTES_MAX)


async def schedules_in_force(
    connection: AsyncConnection, scopes: Sequence[UnitPath], *, above: bool = False
) -> tuple[Schedule, ...]:
    """Signed schedules of the units within the scopes; with `above` also those of the units over them."""
    places = within(documents.c.scope, scopes)
    if above:
        over = {unit for scope in scopes for unit in ancestors(scope)}
        places = or_(places, documents.c.scope.in_(sorted(over)))
    query = select(documents.c.envelope).where(
        places, documents.c.kind == Kind.SCHEDULE.value, documents.c.state == DocumentState.IN_FORCE.value
    )
    rows = await connection.execute(query.order_by(documents.c.scope))
    return tuple(read_schedule(unpack(row.envelope)) for row in rows)


async def config_in_force(connection: AsyncConnection, unit: UnitPath) -> AudibleConfig | None:
    """The audible configuration that decides for a unit: its own, else the nearest above."""
    for place in reversed(ancestors(unit)):
        found = await in_force(connection, place, Kind.AUDIBLE_CONFIG)
        if found is not None:
            return read_config(found.envelope)
    return None


def read_config(envelope: Envelope) -> AudibleConfig:
    """The configuration in an envelope that was verified when it was stored."""
    return codec.decode(AudibleConfig, envelope.payload, bytes_max=ALERT_ENVELOPE_BYTES_MAX)


async def signed_quiet_hours(connection: AsyncConnection) -> dict[UnitPath, tuple[Window, ...]]:
    """Quiet hours of every unit that has a configuration in force."""
    query = select(documents.c.scope, documents.c.envelope).where(
        documents.c.kind == Kind.AUDIBLE_CONFIG.value, documents.c.state == DocumentState.IN_FORCE.value
    )
    rows = await connection.execute(query)
    return {UnitPath(row.scope): read_config(unpack(row.envelope)).quiet_hours for row in rows}


async def partial_documents(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> tuple[StoredDocument, ...]:
    """Documents that wait for another signature."""
    query = select(documents).where(
        within(documents.c.scope, scopes), documents.c.state == DocumentState.PARTIAL.value
    )
    rows = await connection.execute(query.order_by(documents.c.stored_ms.desc()).limit(100))
    return tuple(stored_document(row) for row in rows)


async def documents_in_force(
    connection: AsyncConnection, scopes: Iterable[UnitPath], *, limit: int = 100
) -> tuple[StoredDocument, ...]:
    """What devices of the scopes obey now, newest first; authority and places are not speech and stand last."""
    query = select(documents).where(
        within(documents.c.scope, scopes), documents.c.state == DocumentState.IN_FORCE.value
    )
    silent = documents.c.kind.in_([Kind.GRANT.value, Kind.DENIAL.value, Kind.ASSIGNMENT.value])
    order = (case((silent, 1), else_=0), documents.c.stored_ms.desc())
    return tuple(stored_document(row) for row in await connection.execute(query.order_by(*order).limit(limit)))


async def units_with_schedules(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> tuple[UnitPath, ...]:
    """Units within the scopes that have a schedule in force."""
    query = select(documents.c.scope).where(
        within(documents.c.scope, scopes),
        documents.c.kind == Kind.SCHEDULE.value,
        documents.c.state == DocumentState.IN_FORCE.value,
    )
    return tuple(UnitPath(scope) for scope in await connection.scalars(query.order_by(documents.c.scope)))


async def supersede(connection: AsyncConnection, judgement: Judgement) -> None:
    """Puts aside what the new document replaces: older versions, and partly signed ones that came too late."""
    document = judgement.document
    older = and_(
        documents.c.scope == document.scope,
        documents.c.kind == judgement.kind.value,
        documents.c.digest != judgement.digest,
        documents.c.state.in_([DocumentState.IN_FORCE.value, DocumentState.PARTIAL.value]),
        documents.c.version <= (version_of(document) or 0),
    )
    if isinstance(document, Grant | Denial):
        rows = await connection.execute(select(documents).where(older))
        gone = [one.digest for one in map(stored_document, rows) if _replaces(document, one)]
        await set_state(connection, gone, DocumentState.SUPERSEDED)
        return
    await connection.execute(update(documents).where(older).values(state=DocumentState.SUPERSEDED.value))


def _replaces(document: Grant | Denial, older: StoredDocument) -> bool:
    former = read(older.envelope)
    if isinstance(document, Denial):
        return isinstance(former, Denial) and former.grantor == document.grantor
    # Older serials in force go on carrying what was granted under them; only partly signed ones came too late.
    same = isinstance(former, Grant) and (former.holder, former.parent) == (document.holder, document.parent)
    return same and older.state is DocumentState.PARTIAL


async def denials_in_force(connection: AsyncConnection) -> tuple[tuple[StoredDocument, Denial], ...]:
    """What grantors have taken back; one word of each.

    They are not verified again: a row that somebody put here makes this controller refuse, which whoever writes into
    its database can have anyway, and no device.
    """
    query = select(documents).where(
        documents.c.kind == Kind.DENIAL.value, documents.c.state == DocumentState.IN_FORCE.value
    )
    found = [stored_document(row) for row in await connection.execute(query.order_by(documents.c.stored_ms))]
    read_as = [(one, read(one.envelope)) for one in found]
    return tuple((one, denial) for one, denial in read_as if isinstance(denial, Denial))


async def count_partial(connection: AsyncConnection, scope: UnitPath) -> int:
    """Partly signed documents of a unit."""
    query = select(func.count()).where(documents.c.scope == scope, documents.c.state == DocumentState.PARTIAL.value)
    return (await connection.execute(query)).scalar_one()
