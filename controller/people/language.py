"""The language an account prefers."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy import update

from controller.keys import ENGINE
from controller.store.engine import writing
from controller.store.schema import accounts


async def prefer_language(app: web.Application, account: int, language: str) -> None:
    """Remembers the choice for every device the person signs in on."""
    async with writing(app[ENGINE]) as connection:
        await connection.execute(update(accounts).where(accounts.c.id == account).values(language=language))
