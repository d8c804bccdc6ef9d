"""What every request passes before its handler: host, origin, sign-in, and the form's token.

Every route needs a signed-in person unless its handler is marked `@public`; what a signed-in person changes needs the
session's token, in the field `csrf`, the header `X-CSRF-Token`, or, for a streamed upload, the query's `csrf`.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from controller.keys import CONFIG
from controller.people.access import SESSION, VIEWER
from controller.people.queries import load_session
from controller.web.explained import N_, Explained
from controller.web.held import held_form, resend_page, sign_in_page
from controller.web.i18n import DEFAULT, LANGUAGE, LANGUAGES

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_H = TypeVar("_H", bound=Callable[..., Awaitable[web.StreamResponse]])
_PUBLIC: set[object] = set()
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_COOKIE = "loalang_session"
LANGUAGE_COOKIE = "loalang_language"


def public(handler: _H) -> _H:
    """Marks a handler that asks for no sign-in: it authenticates by other means, or has nothing to hide."""
    _PUBLIC.add(handler)
    return handler


def is_public(request: web.Request) -> bool:
    """Whether the request goes to a public handler or a static file."""
    return request.path.startswith("/static/") or request.match_info.handler in _PUBLIC


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a rebound host name, and a change that another site's page sends."""
    config = request.app[CONFIG]
    if not over_mutual_tls(request) and urlsplit(f"//{request.host}").hostname not in config.host_names:
        raise web.HTTPMisdirectedRequest(text="unknown host name")
    origin = request.headers.get("Origin")
    if request.method not in _SAFE and origin is not None and not _own(origin, request):
        raise Explained(
            N_("This request came from another website and was refused."), status=403, code="foreign_origin"
        )
    return await handler(request)


def over_mutual_tls(request: web.Request) -> bool:
    """Whether the request came through the door for devices, which no page in a browser can do."""
    return request.transport is not None and request.transport.get_extra_info("ssl_object") is not None


def _own(origin: str, request: web.Request) -> bool:
    return origin == request.app[CONFIG].origin or urlsplit(origin).netloc == request.host


@web.middleware
async def know_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Finds out who asks and in which language, before anything is answered."""
    LANGUAGE.set(_known(request.cookies.get(LANGUAGE_COOKIE)))
    token = request.cookies.get(SESSION_COOKIE)
    if token and not request.path.startswith("/static/"):
        session = await load_session(request.app, token, used=_by_person(request))
        if session is not None:
            request[SESSION] = session
            request[VIEWER] = session.viewer
            LANGUAGE.set(_known(session.viewer.language))
    return await handler(request)


def _by_person(request: web.Request) -> bool:
    """Whether someone did something, rather than a page left open that refreshes itself."""
    return request.method not in _SAFE or request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def _known(language: str | None) -> str:
    return language if language in LANGUAGES else DEFAULT


@web.middleware
async def require_session(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Leads whoever is not signed in to the sign-in page, keeping what they wrote; checks the form's token."""
    if is_public(request) or request.match_info.http_exception is not None:
        return await handler(request)
    if SESSION not in request:
        return await _sign_in(request)
    if request.method not in _SAFE and not await _token_matches(request):
        return await _renew(request)
    return await handler(request)


async def _sign_in(request: web.Request) -> web.Response:
    if request.path.startswith(("/api/", "/events")):
        raise Explained(N_("Please sign in to continue."), status=401, code="sign_in")
    if request.headers.get("HX-Request"):  # a part that refreshes itself must not take away what is being written
        return web.Response(status=401, headers={"HX-Reswap": "none", "HX-Trigger": "loalang:signed-out"})
    held = None if request.method in _SAFE else await held_form(request)
    return sign_in_page(request, held=held)


async def _renew(request: web.Request) -> web.Response:
    held = None if request.path.startswith("/api/") else await held_form(request)
    if held is None:
        raise Explained(
            N_("This page was open for too long. Load it again and repeat what you did."),
            status=403,
            code="stale_page",
        )
    return resend_page(request, held)


async def _token_matches(request: web.Request) -> bool:
    given = request.headers.get("X-CSRF-Token")
    if given is None and request.content_type == "application/x-www-form-urlencoded":
        given = str((await request.post()).get("csrf", ""))
    if given is None and request.content_type == "multipart/form-data":
        given = request.query.get("csrf")
    return given is not None and hmac.compare_digest(given.encode(), request[SESSION].csrf.encode())
