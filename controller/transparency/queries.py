"""The log in the database: extended in the transaction that stores a document, never changed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Row, func, or_, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.store.schema import documents, log_entries
from controller.store.scope import within
from protocol.clock import WallMs
from protocol.hash_chain import EMPTY, ChainState, LogEntry, next_entry
from protocol.units import UnitPath, ancestors

PAGE_MAX: Final = 50
CHUNK: Final = 500


async def append(connection: AsyncConnection, *, digest: str, kind: str, scope: UnitPath, stored: WallMs) -> None:
    """Adds one document; a document that is there already changes nothing."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time by itself
        await connection.execute(text("LOCK TABLE log_entries IN SHARE ROW EXCLUSIVE MODE"))
    entry = next_entry(await newest_state(connection), digest=digest, kind=kind, scope=scope, stored=stored)
    made = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(log_entries)
    row = {
        "position": entry.index,
        "digest": entry.digest,
        "kind": entry.kind,
        "scope": entry.scope,
        "stored_ms": entry.stored,
        "previous": entry.previous,
        "hash": entry.hash,
    }
    await connection.execute(made.values(**row).on_conflict_do_nothing(index_elements=["digest"]))


async def newest_state(connection: AsyncConnection) -> ChainState:
    """Size and newest hash, without looking at what lies before; the name is not filled in."""
    query = select(log_entries.c.position, log_entries.c.hash).order_by(log_entries.c.position.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return EMPTY if row is None else ChainState(row.position + 1, row.hash)


async def entries_from(connection: AsyncConnection, first: int, *, limit: int) -> tuple[LogEntry, ...]:
    """Entries by number, oldest first, up to a row that is no entry. Raises ValueError when that is the first one."""
    query = select(log_entries).where(log_entries.c.position >= first).order_by(log_entries.c.position)
    found: list[LogEntry] = []
    for row in await connection.execute(query.limit(limit)):
        try:
            found.append(_entry(row))
        except ValueError:
            if not found:
                raise
            break
    return tuple(found)


async def chunks(connection: AsyncConnection, *, first: int = 0) -> AsyncIterator[tuple[LogEntry, ...]]:
    """The log a piece at a time, so that nobody else waits for it."""
    while found := await entries_from(connection, first, limit=CHUNK):
        yield found
        first = found[-1].index + 1


def _entry(row: Row[Any]) -> LogEntry:
    return LogEntry(
        index=row.position,
        digest=row.digest,
        kind=row.kind,
        scope=UnitPath(row.scope),
        stored=WallMs(row.stored_ms),
        previous=row.previous,
        hash=row.hash,
    )


async def entries_about(
    connection: AsyncConnection, scopes: Sequence[UnitPath], *, before: int | None
) -> tuple[LogEntry, ...]:
    """A page of what concerns the scopes, newest first: their own documents and those of the units above them."""
    above = sorted({unit for scope in scopes for unit in ancestors(scope)})
    query = select(log_entries).where(or_(within(log_entries.c.scope, scopes), log_entries.c.scope.in_(above)))
    if before is not None:
        query = query.where(log_entries.c.position < before)
    return _readable(await connection.execute(query.order_by(log_entries.c.position.desc()).limit(PAGE_MAX)))


async def entries_named(connection: AsyncConnection, beginning: str) -> tuple[LogEntry, ...]:
    """Entries whose digest begins so; whoever holds a digest may ask for it, whatever its unit."""
    query = select(log_entries).where(
        log_entries.c.digest >= beginning, log_entries.c.digest < beginning + "g"
    )  # `g` comes after every hexadecimal digit
    return _readable(await connection.execute(query.order_by(log_entries.c.position.desc()).limit(PAGE_MAX)))


def _readable(rows: Iterable[Row[Any]]) -> tuple[LogEntry, ...]:
    """A row that somebody broke is left out: the look at the whole log tells of it."""
    found = []
    for row in rows:
        with contextlib.suppress(ValueError):
            found.append(_entry(row))
    return tuple(found)


async def logged_among(connection: AsyncConnection, digests: Iterable[str]) -> set[str]:
    """Which of the documents are in the log."""
    query = select(log_entries.c.digest).where(log_entries.c.digest.in_(list(digests)))
    return set(await connection.scalars(query))


async def log_size(connection: AsyncConnection) -> int:
    """The number of entries, counted."""
    return (await connection.execute(select(func.count()).select_from(log_entries))).scalar_one()


async def log_former_documents(connection: AsyncConnection) -> int:
    """Enters what was stored before there was a log, in the order in which it was stored; gives how many."""
    columns = documents.c
    query = select(columns.digest, columns.kind, columns.scope, columns.stored_ms).where(columns.state != "partial")
    rows = (await connection.execute(query.order_by(columns.stored_ms, columns.digest))).all()
    for row in rows:
        stored = WallMs(row.stored_ms)
        await append(connection, digest=row.digest, kind=row.kind, scope=UnitPath(row.scope), stored=stored)
    return len(rows)
