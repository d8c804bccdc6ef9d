"""Routes of the log."""

from __future__ import annotations

from aiohttp import web

from controller.as_run import pages
from controller.as_run.api import add_log_api


def setup(app: web.Application) -> None:
    """Adds pages, export and API."""
    app.router.add_get("/log", pages.show_log)
    app.router.add_get("/log/missed", pages.show_missed)
    app.router.add_get("/log/refusals", pages.show_refusals)
    app.router.add_get("/log.csv", pages.export_log)
    add_log_api(app)
