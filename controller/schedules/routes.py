"""Puts the calendar together."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from controller.schedules import api, pages

_STATIC = Path(__file__).parent / "static"


def setup(app: web.Application) -> None:
    """Adds the routes."""
    app.router.add_static("/static/schedules/", _STATIC)
    api.add_routes(app)
    pages.add_routes(app)
