"""What a controller that starts knows of its devices: who is enrolled, and the last word of each."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.devices.ingest import Ingest
from controller.devices.live import Roster
from controller.devices.queries import last_words, mark_links_unknown
from controller.store.engine import reading, writing
from protocol import codec
from protocol.errors import DocumentError
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import Status

logger = logging.getLogger(__name__)


async def remember(engine: AsyncEngine, ingest: Ingest, roster: Roster) -> None:
    """What was known before the last stop; nobody counts as connected until they speak."""
    try:
        async with writing(engine) as connection:
            await mark_links_unknown(connection)
    except SQLAlchemyError as error:
        # With a full disk it must start all the same: devices ask it for the time and for what is in force.
        logger.error("the database cannot be written: %s", error)
    await ingest.renew_roster()
    async with reading(engine) as connection:
        words = await last_words(connection)
    for device, seen, text in words:
        known = roster.get(device)
        try:
            status = codec.decode(Status, text.encode(), bytes_max=REPORT_BYTES_MAX)
        except DocumentError:
            logger.warning("the stored status of %s cannot be read", device)
            continue
        if known is not None:
            known.status, known.seen = status, seen
