"""Puts bulletins together: pages, REST, and the work in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from controller.audit.wording import name_acts
from controller.bulletins import api, compose, pages
from controller.bulletins.following import follow_schedule, keep_ending
from controller.bulletins.wording import AREA, DONE
from controller.keys import CLOCK, ENVELOPE_HOOKS

_STATIC = Path(__file__).parent / "static"


def setup(app: web.Application) -> None:
    """Adds routes and background work."""
    app.setdefault(ENVELOPE_HOOKS, []).append(follow_schedule(app[CLOCK]))
    app.cleanup_ctx.append(_ending)
    app.router.add_static("/static/bulletins/", _STATIC)
    name_acts("bulletin.", AREA, DONE)
    api.add_routes(app)
    compose.add_routes(app)
    pages.add_routes(app)


async def _ending(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(keep_ending(app))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
