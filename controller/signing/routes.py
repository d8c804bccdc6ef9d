"""Puts signing together: the door for envelopes, the publishing in the background, the pages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from controller.audit.wording import name_acts
from controller.keys import CLOCK, CONFIG, ENGINE, ENVELOPE_HOOKS, PUBLISHER
from controller.signing import api, device_api, pages, rules_page
from controller.signing.acceptance import Acceptance
from controller.signing.authority import AuthorityFile
from controller.signing.distribution import Distribution
from controller.signing.freshness import open_key
from controller.signing.keys import ACCEPTANCE, AUTHORITY, DISTRIBUTION, FRESHNESS
from controller.signing.wording import AREA, DONE

_STATIC = Path(__file__).parent / "static"
logger = logging.getLogger(__name__)


def setup(app: web.Application) -> None:
    """Adds routes and background work."""
    config, engine, clock = app[CONFIG], app[ENGINE], app[CLOCK]
    app[FRESHNESS] = open_key(config.data)
    logger.info("freshness key, for the anchor: %s", app[FRESHNESS].public)
    app[AUTHORITY] = AuthorityFile(config.data)
    hooks = app.setdefault(ENVELOPE_HOOKS, [])
    app[ACCEPTANCE] = Acceptance(engine, clock, app[AUTHORITY], hooks=hooks)
    app[DISTRIBUTION] = Distribution(engine, clock, app[PUBLISHER], key=app[FRESHNESS], authority=app[AUTHORITY])
    app[PUBLISHER].when_connected(app[DISTRIBUTION].broker_returned)
    app.cleanup_ctx.append(_publishing)
    app.on_shutdown.append(_let_go)
    app.router.add_static("/static/signing/", _STATIC)
    name_acts("signing.", AREA, DONE)
    api.add_routes(app)
    device_api.add_routes(app)
    pages.add_routes(app)
    rules_page.add_routes(app)


async def _publishing(app: web.Application) -> AsyncIterator[None]:
    task = asyncio.create_task(app[DISTRIBUTION].run())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _let_go(app: web.Application) -> None:
    app[DISTRIBUTION].shelf.close()
