"""Bulletins follow what operators sign and what time does."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.bulletins.domain import Bulletin, Now, State
from controller.bulletins.queries import due_bulletins, end_over, move, pin_time
from controller.keys import CLOCK, ENGINE, EVENTS
from controller.ports import Clock, EnvelopeHook, StoredEnvelope
from controller.store.engine import writing
from controller.waiting import rest
from protocol.bulletin import Explicit
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.errors import DocumentError, Refusal
from protocol.schedule import Item, Schedule

logger = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 15.0


def follow_schedule(clock: Clock) -> EnvelopeHook:
    """What happens to bulletins in the transaction that puts a schedule in force."""

    async def hook(connection: AsyncConnection, stored: StoredEnvelope) -> None:
        if stored.kind is not Kind.SCHEDULE or stored.state != "in_force":
            return
        assert isinstance(stored.document, Schedule), "the kind says so"
        items = {item.id: item for item in stored.document.items}
        now = clock()
        for bulletin in await due_bulletins(connection, stored.document.scope):
            if bulletin.id in items:
                await _follow(connection, bulletin, items, now)

    return hook


async def _follow(connection: AsyncConnection, bulletin: Bulletin, items: Mapping[str, Item], now: WallMs) -> None:
    when = items[bulletin.id].when
    if isinstance(bulletin.timing, Now) and isinstance(when, Explicit):
        if max(when.starts) <= now:
            # Its first words would be lost: the operator signs again and gets a later minute.
            raise DocumentError(Refusal.EXPIRED, f"{bulletin.title[:60]}: its start passed before it was signed")
        await pin_time(connection, bulletin.id, when)
    if bulletin.state is State.APPROVED:
        await move(connection, bulletin, State.IN_FORCE, now=now)


async def keep_ending(app: web.Application) -> None:
    """Ends what is over, for ever."""
    while True:
        try:
            await end_now(app)
        except Exception:
            logger.warning("ending bulletins failed; it is tried again", exc_info=True)
        await rest(LOOK_EVERY_S)


async def end_now(app: web.Application) -> None:
    """Ends what is over and tells open pages."""
    async with writing(app[ENGINE]) as connection:
        ended = await end_over(connection, app[CLOCK]())
    for bulletin in ended:
        app[EVENTS].publish("schedule", bulletin.unit, bulletin=bulletin.id, state=State.ENDED.value)
