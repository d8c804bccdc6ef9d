"""Typed keys of what every part of the application shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.config import Config
from controller.ports import Clock, EnvelopeHook, MediaStorage, Publisher

if TYPE_CHECKING:
    from controller.web.events import EventHub

CONFIG: web.AppKey[Config] = web.AppKey("config", Config)
ENGINE: web.AppKey[AsyncEngine] = web.AppKey("engine", AsyncEngine)
EVENTS: web.AppKey[EventHub] = web.AppKey("events")
"""In-process hub: `request.app[EVENTS].publish(...)`."""
PUBLISHER: web.AppKey[Publisher] = web.AppKey("publisher")
MEDIA: web.AppKey[MediaStorage] = web.AppKey("media")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
ENVELOPE_HOOKS: web.AppKey[list[EnvelopeHook]] = web.AppKey("envelope_hooks")
"""Add with `app.setdefault(ENVELOPE_HOOKS, []).append(hook)`; called by whoever stores envelopes."""
