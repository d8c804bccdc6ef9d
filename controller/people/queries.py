"""Accounts, roles and sessions in the database."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable

from aiohttp import web
from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.keys import CLOCK, CONFIG, ENGINE
from controller.people.access import Session
from controller.people.domain import Account, HeldRole, Role, Viewer
from controller.store.engine import reading, writing
from controller.store.schema import accounts, roles, sessions
from controller.store.scope import within
from protocol.clock import WallMs
from protocol.units import UnitPath

logger = logging.getLogger(__name__)

TOUCH_MS = 60_000


async def held_roles(connection: AsyncConnection, account: int) -> tuple[HeldRole, ...]:
    """All roles of an account."""
    rows = await connection.execute(select(roles).where(roles.c.account_id == account).order_by(roles.c.scope))
    return tuple(HeldRole(Role(row.role), UnitPath(row.scope)) for row in rows)


async def account_by_login(connection: AsyncConnection, login: str) -> Account | None:
    """The account of a login name, active or not."""
    row = (await connection.execute(select(accounts).where(accounts.c.login == login))).one_or_none()
    return None if row is None else _account(row._mapping, await held_roles(connection, row.id))


async def account_by_id(connection: AsyncConnection, account: int) -> Account | None:
    """The account of a number, active or not."""
    row = (await connection.execute(select(accounts).where(accounts.c.id == account))).one_or_none()
    return None if row is None else _account(row._mapping, await held_roles(connection, row.id))


def _account(row: RowMapping, held: tuple[HeldRole, ...]) -> Account:
    return Account(
        id=row["id"],
        login=row["login"],
        name=row["name"],
        password_hash=row["password_hash"],
        language=row["language"],
        active=row["active"],
        roles=held,
    )


async def add_account(
    connection: AsyncConnection,
    login: str,
    *,
    name: str,
    password_hash: str,
    held: Iterable[HeldRole],
    at: WallMs,
    language: str = "vi",
) -> int:
    """Writes a new account with its roles; gives its number."""
    values = {"login": login, "name": name, "password_hash": password_hash, "language": language, "created_ms": at}
    result = await connection.execute(insert(accounts).values(**values, active=True))
    key = result.inserted_primary_key
    assert key is not None, "a single insert has a primary key"
    account: int = key[0]
    await set_roles(connection, account, held)
    return account


async def set_roles(connection: AsyncConnection, account: int, held: Iterable[HeldRole]) -> None:
    """Replaces all roles of an account."""
    await connection.execute(delete(roles).where(roles.c.account_id == account))
    rows = [{"account_id": account, "role": one.role.value, "scope": one.scope} for one in dict.fromkeys(held)]
    if rows:
        await connection.execute(insert(roles), rows)


async def accounts_within(connection: AsyncConnection, scopes: Iterable[UnitPath]) -> tuple[Account, ...]:
    """Accounts that hold a role in some units, open ones first, by given name; each with all its roles."""
    holders = select(roles.c.account_id).where(within(roles.c.scope, scopes))
    query = select(accounts).where(accounts.c.id.in_(holders))
    found = (await connection.execute(query)).mappings().all()
    held: dict[int, list[HeldRole]] = {row["id"]: [] for row in found}
    every = select(roles).where(roles.c.account_id.in_(holders)).order_by(roles.c.scope, roles.c.role)
    for row in await connection.execute(every):
        held[row.account_id].append(HeldRole(Role(row.role), UnitPath(row.scope)))
    people = (_account(row, tuple(held[row["id"]])) for row in found)
    return tuple(sorted(people, key=lambda one: (not one.active, one.given_name_first)))


async def account_names(connection: AsyncConnection, ids: Iterable[int]) -> dict[int, str]:
    """Names by number, for pages that show who did something."""
    query = select(accounts.c.id, accounts.c.name).where(accounts.c.id.in_(sorted(set(ids))))
    return {row.id: row.name for row in await connection.execute(query)}


async def rename(connection: AsyncConnection, account: int, name: str) -> None:
    """Changes the name that others see."""
    await connection.execute(update(accounts).where(accounts.c.id == account).values(name=name))


async def set_password(connection: AsyncConnection, account: int, password_hash: str) -> None:
    """Changes the password."""
    await connection.execute(update(accounts).where(accounts.c.id == account).values(password_hash=password_hash))


async def set_active(connection: AsyncConnection, account: int, active: bool) -> None:
    """Closes or opens an account; a closed one is signed out at once."""
    await connection.execute(update(accounts).where(accounts.c.id == account).values(active=active))
    if not active:
        await close_sessions(connection, account)


def hash_token(token: str) -> str:
    """What the database keeps of a session cookie: a stolen database opens no session."""
    return hashlib.sha256(token.encode()).hexdigest()


async def open_session(connection: AsyncConnection, account: int, *, at: WallMs, idle_ms: int) -> tuple[str, str]:
    """Writes a session; gives the cookie's token and the token of its forms."""
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    await connection.execute(delete(sessions).where(sessions.c.expires_ms <= at))
    await connection.execute(
        insert(sessions).values(
            id_hash=hash_token(token),
            account_id=account,
            csrf=csrf,
            created_ms=at,
            seen_ms=at,
            expires_ms=at + idle_ms,
        )
    )
    return token, csrf


async def close_session(connection: AsyncConnection, id_hash: str) -> None:
    """Ends one session."""
    await connection.execute(delete(sessions).where(sessions.c.id_hash == id_hash))


async def close_sessions(connection: AsyncConnection, account: int, *, but: str = "") -> None:
    """Ends all sessions of an account, but perhaps the one in use."""
    await connection.execute(delete(sessions).where(sessions.c.account_id == account, sessions.c.id_hash != but))


async def load_session(app: web.Application, token: str, *, used: bool) -> Session | None:
    """The session of a cookie, if it has not ended; being used by a person keeps it alive."""
    at = app[CLOCK]()
    id_hash = hash_token(token)
    joined = sessions.join(accounts, sessions.c.account_id == accounts.c.id)
    wanted = (sessions.c.id_hash == id_hash) & (sessions.c.expires_ms > at) & accounts.c.active
    async with reading(app[ENGINE]) as connection:
        columns = (sessions.c.csrf, sessions.c.seen_ms, accounts.c.id, accounts.c.login)
        query = select(*columns, accounts.c.name, accounts.c.language).select_from(joined).where(wanted)
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        held = await held_roles(connection, row.id)
    if used and at - row.seen_ms >= TOUCH_MS:
        await _touch(app, id_hash, at)
    return Session(id_hash, row.csrf, Viewer(row.id, row.login, row.name, row.language, held))


async def _touch(app: web.Application, id_hash: str, at: WallMs) -> None:
    ends = at + app[CONFIG].session_idle_ms
    try:
        async with writing(app[ENGINE]) as connection:
            await connection.execute(
                update(sessions).where(sessions.c.id_hash == id_hash).values(seen_ms=at, expires_ms=ends)
            )
    except OperationalError:  # a full disk must not take the pages away from those who are signed in
        logger.warning("a session could not be prolonged", exc_info=True)
