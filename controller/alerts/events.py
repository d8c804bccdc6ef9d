"""Keeps emergencies in step with what was signed, and tells open pages."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.alerts.domain import AlertState, kind_of_document
from controller.alerts.queries import add_alert, is_known, note_cancel_signed, note_signed
from controller.keys import CLOCK, EVENTS
from controller.ports import EnvelopeHook, StoredEnvelope
from protocol.alert import Alert, Cancel
from protocol.document import ALERT_KINDS
from protocol.units import UnitPath

AFTER_COMMIT_S: Final = 0.05
"""The hook runs inside the transaction; pages that were told at once would still read the old state."""


def tell_pages(app: web.Application, scope: UnitPath, id: str, state: AlertState) -> None:
    """An emergency changed."""
    app[EVENTS].publish("alert", scope, alert=id, state=state.value)


def follow_signatures(app: web.Application) -> EnvelopeHook:
    """The hook that is told of every signed document."""

    async def envelope_stored(connection: AsyncConnection, stored: StoredEnvelope) -> None:
        if isinstance(stored.document, Cancel):
            await note_cancel_signed(connection, stored.document.alert_id, digest=stored.digest)
        elif stored.kind in ALERT_KINDS and isinstance(stored.document, Alert):
            await _follow_alert(app, connection, stored, stored.document)

    return envelope_stored


async def _follow_alert(
    app: web.Application, connection: AsyncConnection, stored: StoredEnvelope, alert: Alert
) -> None:
    state, now = AlertState.PARTIAL if stored.state == "partial" else AlertState.SENT, app[CLOCK]()
    composed_here = await note_signed(connection, stored.digest, state=state, now=now)
    if not composed_here and not await is_known(connection, alert.id):
        kind = kind_of_document(stored.kind)
        await add_alert(connection, kind, alert, digest=stored.digest, state=state, author=None, now=now)
    loop = asyncio.get_running_loop()
    loop.call_later(AFTER_COMMIT_S, tell_pages, app, alert.scope, alert.id, state)
