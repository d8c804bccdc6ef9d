"""Typed keys of what devices share."""

from __future__ import annotations

from aiohttp import web

from controller.devices.announcer import Announcer
from controller.devices.ingest import Ingest
from controller.devices.live import Roster

ROSTER: web.AppKey[Roster] = web.AppKey("roster")
"""All enrolled devices and what is known of each right now."""
INGEST: web.AppKey[Ingest] = web.AppKey("ingest")
ANNOUNCER: web.AppKey[Announcer] = web.AppKey("announcer")
