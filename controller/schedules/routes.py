"""Puts the calendar together."""

from __future__ import annotations

from aiohttp import web

from controller.schedules import api


def setup(app: web.Application) -> None:
    """Adds the routes."""
    api.add_routes(app)
