"""Typed keys of what signing shares."""

from __future__ import annotations

from aiohttp import web

from controller.signing.acceptance import Acceptance
from controller.signing.authority import AuthorityFile
from controller.signing.distribution import Distribution
from protocol.keys import SigningKey

AUTHORITY: web.AppKey[AuthorityFile] = web.AppKey("authority")
ACCEPTANCE: web.AppKey[Acceptance] = web.AppKey("acceptance")
DISTRIBUTION: web.AppKey[Distribution] = web.AppKey("distribution")
FRESHNESS: web.AppKey[SigningKey] = web.AppKey("freshness")
"""The controller's own key: time and heads, never sound."""
