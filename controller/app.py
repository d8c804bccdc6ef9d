"""Puts the controller together: shared things first, then each capability's routes."""

from __future__ import annotations

import importlib
import time
from collections.abc import AsyncIterator

from aiohttp import web

from controller.config import Config
from controller.demo import make_demo
from controller.keys import CLOCK, CONFIG, ENGINE, EVENTS
from controller.ports import Clock
from controller.store.backup import finish
from controller.store.engine import migrate, open_engine
from controller.web.events import EventHub
from protocol.clock import WallMs

CAPABILITIES = (
    "web",
    "people",
    "units",
    "audit",
    "library",
    "broker",
    "signing",
    "bulletins",
    "schedules",
    "devices",
    "as_run",
    "alerts",
    "placements",
    "authority",
    "transparency",
    "root_files",
)
"""Folders with a `routes` module whose `setup(app)` adds routes, templates and background work, in this order."""


def present() -> WallMs:
    """The only place where the controller reads the clock."""
    return WallMs(time.time_ns() // 1_000_000)


def make_app(
    config: Config, *, clock: Clock = present, capabilities: tuple[str, ...] = CAPABILITIES
) -> web.Application:
    """The whole service, or some of its capabilities, ready to be started."""
    config.data.mkdir(parents=True, exist_ok=True)
    finish(config.data)
    app = web.Application(client_max_size=config.form_bytes_max)
    app[CONFIG] = config
    app[CLOCK] = clock
    app[EVENTS] = EventHub()
    app[ENGINE] = open_engine(config.database_url)
    app.cleanup_ctx.append(_database)
    for name in capabilities:
        importlib.import_module(f"controller.{name}.routes").setup(app)
    return app


async def _database(app: web.Application) -> AsyncIterator[None]:
    await migrate(app[ENGINE])
    if app[CONFIG].demo:
        await make_demo(app[ENGINE], app[CONFIG].data, at=app[CLOCK]())
    yield
    await app[ENGINE].dispose()
