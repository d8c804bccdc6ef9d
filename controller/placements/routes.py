"""Routes of places, and the watch for devices that have followed their word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from controller.broker.keys import REPORT_LISTENERS
from controller.devices.keys import INGEST
from controller.keys import ENGINE
from controller.placements import pages
from controller.placements.arrivals import Arrivals
from controller.signing.keys import DISTRIBUTION
from protocol.units import UnitPath

_ARRIVALS: web.AppKey[Arrivals] = web.AppKey("arrivals")


def setup(app: web.Application) -> None:
    """Adds pages and background work."""

    async def left(places: tuple[UnitPath, ...]) -> None:
        app[DISTRIBUTION].renew(places)
        await app[INGEST].renew_roster()

    app[_ARRIVALS] = Arrivals(app[ENGINE], told=left)
    app.setdefault(REPORT_LISTENERS, []).append(app[_ARRIVALS].receive)
    app.cleanup_ctx.append(_watch)
    pages.add_routes(app)


async def _watch(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[_ARRIVALS].run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
