"""Typed keys of the transparency log."""

from __future__ import annotations

from aiohttp import web

from controller.transparency.notary import Notary
from controller.transparency.watch import Watch

NOTARY: web.AppKey[Notary] = web.AppKey("notary")
WATCH: web.AppKey[Watch] = web.AppKey("watch")
