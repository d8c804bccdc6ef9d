"""Writes the append-only log: every act of a person, in the same transaction as the act itself."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.store.schema import audit
from protocol.clock import WallMs

DETAIL_CHARS_MAX = 2000


async def note(
    connection: AsyncConnection, act: str, *, at: WallMs, account: int | None, subject: str, detail: str = ""
) -> None:
    """Appends one act.

    Args:
        act: `capability.verb`, such as `bulletin.approve`; its sentence is in `controller.audit.wording`.
        subject: the unit path it concerns, with `#id` for a thing of that unit: it decides who may read the entry.
    """
    row = {"at_ms": at, "account_id": account, "act": act, "subject": subject, "detail": detail[:DETAIL_CHARS_MAX]}
    await connection.execute(insert(audit).values(**row))
