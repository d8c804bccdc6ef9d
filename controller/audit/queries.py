"""Reads the log, limited to what concerns one's units, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, RowMapping, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.store.schema import accounts, audit
from controller.store.scope import within
from protocol.units import UnitPath

PAGE_MAX = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One act."""

    id: int
    at_ms: int
    act: str
    who: str | None
    place: UnitPath
    thing: str
    detail: str


def _concerns(scopes: Iterable[UnitPath]) -> ColumnElement[bool]:
    named = [(audit.c.subject >= scope + "#") & (audit.c.subject < scope + "$") for scope in scopes]
    return or_(within(audit.c.subject, scopes), *named)


async def entries_within(
    connection: AsyncConnection, scopes: tuple[UnitPath, ...], *, before: int | None = None, act: str = ""
) -> tuple[Entry, ...]:
    """A page of entries older than one of them; `act` is the beginning of an act's name."""
    who = accounts.c.name.label("who")
    joined = audit.outerjoin(accounts, audit.c.account_id == accounts.c.id)
    query = (
        select(audit, who).select_from(joined).where(_concerns(scopes)).order_by(audit.c.id.desc()).limit(PAGE_MAX)
    )
    if before is not None:
        query = query.where(audit.c.id < before)
    if act:
        query = query.where(audit.c.act.startswith(act, autoescape=True))
    return tuple(_entry(row) for row in (await connection.execute(query)).mappings())


async def entries_about(connection: AsyncConnection, subject: str) -> tuple[Entry, ...]:
    """All that was done to one thing, oldest first; whether the viewer may see it is the caller's question."""
    who = accounts.c.name.label("who")
    joined = audit.outerjoin(accounts, audit.c.account_id == accounts.c.id)
    query = select(audit, who).select_from(joined).where(audit.c.subject == subject).order_by(audit.c.id)
    return tuple(_entry(row) for row in (await connection.execute(query.limit(PAGE_MAX))).mappings())


def _entry(row: RowMapping) -> Entry:
    place, _, thing = row["subject"].partition("#")
    return Entry(row["id"], row["at_ms"], row["act"], row["who"], UnitPath(place), thing, row["detail"])
