"""Routes of authorities."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from controller.authority import api, pages

_STATIC = Path(__file__).parent / "static"


def setup(app: web.Application) -> None:
    """Adds pages and API."""
    app.router.add_static("/static/authority/", _STATIC)
    api.add_routes(app)
    pages.add_routes(app)
