"""Renders pages, and tells on the next page what happened."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp_jinja2
from aiohttp import web
from markupsafe import Markup

from controller.keys import CLOCK, CONFIG
from controller.people.access import SESSION, VIEWER
from controller.web.i18n import LANGUAGE, LANGUAGES
from controller.web.navigation import entries, serves
from controller.web.strict_json import loads

TOLD_COOKIE = "loalang_told"
BANNER = "/alerts/banner"
NONCE: web.RequestKey[str] = web.RequestKey("nonce")


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence for the top of the next page.

    Attributes:
        kind: `done`, `warning` or `error`.
    """

    text: str
    kind: str = "done"


def page(
    request: web.Request, template: str, values: Mapping[str, Any] | None = None, *, status: int = 200
) -> web.Response:
    """A page from a template; what was told is shown once."""
    response = aiohttp_jinja2.render_template(
        template, request, {**_context(request), **(values or {})}, status=status
    )
    if TOLD_COOKIE in request.cookies:
        response.del_cookie(TOLD_COOKIE, path="/")
    response.headers["Cache-Control"] = "no-store"
    return response


def fragment(request: web.Request, template: str, values: Mapping[str, Any] | None = None) -> web.Response:
    """A part of a page, for htmx to put in its place."""
    return page(request, template, values)


def see_other(location: str, told: Told | None = None) -> web.Response:
    """Leads the browser on after a change, and tells there what happened."""
    response = web.Response(status=303, headers={"Location": location})
    if told is not None:
        text = base64.urlsafe_b64encode(json.dumps([told.kind, told.text]).encode()).decode()
        response.set_cookie(TOLD_COOKIE, text, max_age=60, httponly=True, samesite="Lax", path="/")
    return response


def _context(request: web.Request) -> dict[str, Any]:
    session = request.get(SESSION)
    csrf = session.csrf if session is not None else ""
    return {
        "request": request,
        "viewer": request.get(VIEWER),
        "csrf": csrf,
        "form_keys": lambda: form_keys(csrf),
        "navigation": entries(request),
        "language": LANGUAGE.get(),
        "languages": LANGUAGES,
        "told": read_told(request),
        "banner": VIEWER in request and serves(request, BANNER) and BANNER,
        "now_ms": request.app[CLOCK](),
        "config": request.app[CONFIG],
        "style_nonce": nonce(request),
    }


def form_keys(csrf: str) -> Markup:
    """Hidden inputs that every form of a page needs: the session's token and a one-time key."""
    return Markup('<input type="hidden" name="csrf" value="{}"><input type="hidden" name="once" value="{}">').format(
        csrf, secrets.token_urlsafe(16)
    )


def read_told(request: web.Request) -> Told | None:
    """What the previous page wanted to be told, if it can be read."""
    return told_in(request.cookies.get(TOLD_COOKIE, ""))


def told_in(cookie: str) -> Told | None:
    """What a cookie tells; None for what `see_other` never wrote: cookies are shared by all programs of a host."""
    try:
        kind, text = loads(base64.urlsafe_b64decode(cookie).decode())
    except (ValueError, TypeError):
        return None
    return Told(str(text), str(kind) if kind in ("done", "warning", "error") else "done")


def nonce(request: web.Request) -> str:
    """This answer's mark for style sheets that a script adds (the waveform's)."""
    if NONCE not in request:
        request[NONCE] = secrets.token_urlsafe(16)
    return request[NONCE]
