"""Typed keys of what every part of the signer shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import aiohttp
from aiohttp import web

from protocol.clock import MonoMs, WallMs
from signer.act import Pen
from signer.config import SignerConfig
from signer.desk import Desk
from signer.places import Places
from signer.shelf import Shelf

CONFIG: Final[web.AppKey[SignerConfig]] = web.AppKey("config", SignerConfig)
FORM_TOKEN: Final[web.AppKey[str]] = web.AppKey("form_token", str)
"""Only our own pages know it."""
DESK: Final[web.AppKey[Desk]] = web.AppKey("desk", Desk)
PEN: Final[web.AppKey[Pen]] = web.AppKey("pen", Pen)
PLACES: Final[web.AppKey[Places]] = web.AppKey("places", Places)
SESSION: Final[web.AppKey[aiohttp.ClientSession]] = web.AppKey("session", aiohttp.ClientSession)
SHELF: Final[web.AppKey[Shelf]] = web.AppKey("shelf", Shelf)

Wall = Callable[[], WallMs]
Mono = Callable[[], MonoMs]
WALL: Final[web.AppKey[Wall]] = web.AppKey("wall")
"""The present; tests hand in their own."""
