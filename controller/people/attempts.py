"""Limits guessing: wrong passwords are counted for each account and each address."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.store.schema import login_attempts
from controller.web.explained import N_, Explained
from protocol.clock import WallMs

WINDOW_MS = 15 * 60_000
PER_LOGIN_MAX = 5
PER_ADDRESS_MAX = 30
KEPT_MS = 30 * 86_400_000


async def check_attempts(connection: AsyncConnection, login: str, *, address: str, at: WallMs) -> None:
    """Lets a try pass, or says how long to wait.

    Raises:
        Explained: too many wrong passwords in the last quarter of an hour.
    """
    by_login = await _full_until(connection, login_attempts.c.login == login, PER_LOGIN_MAX, at)
    by_address = await _full_until(connection, login_attempts.c.address == address, PER_ADDRESS_MAX, at)
    until = max(by_login, by_address)
    if until > at:
        raise Explained(
            N_(
                "Too many wrong passwords. For safety this sign-in is closed for %(minutes)d minutes. "
                "If you forgot your password, ask your technician for a new one."
            ),
            status=429,
            code="too_many_attempts",
            minutes=-(-(until - at) // 60_000),
        )


async def _full_until(connection: AsyncConnection, who: ColumnElement[bool], limit: int, at: WallMs) -> int:
    """The instant at which fewer than the limit lie within the window; the past when that is so already."""
    failed = who & ~login_attempts.c.ok & (login_attempts.c.at_ms > at - WINDOW_MS)
    since = await connection.scalar(select(func.max(login_attempts.c.at_ms)).where(who & login_attempts.c.ok))
    query = select(login_attempts.c.at_ms).where(failed & (login_attempts.c.at_ms > (since or 0)))
    times = (await connection.scalars(query.order_by(login_attempts.c.at_ms.desc()).limit(limit))).all()
    return times[-1] + WINDOW_MS if len(times) == limit else 0


async def note_attempt(connection: AsyncConnection, login: str, *, address: str, at: WallMs, ok: bool) -> None:
    """Counts a try; old ones are forgotten."""
    await connection.execute(delete(login_attempts).where(login_attempts.c.at_ms < at - KEPT_MS))
    await connection.execute(insert(login_attempts).values(login=login[:100], address=address, at_ms=at, ok=ok))
