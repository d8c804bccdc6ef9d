"""Puts bulletins together: pages, REST, and the work in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from controller.bulletins import api
from controller.bulletins.following import follow_schedule, keep_ending
from controller.keys import CLOCK, ENVELOPE_HOOKS


def setup(app: web.Application) -> None:
    """Adds routes and background work."""
    app.setdefault(ENVELOPE_HOOKS, []).append(follow_schedule(app[CLOCK]))
    app.cleanup_ctx.append(_ending)
    api.add_routes(app)


async def _ending(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_ending(app))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
