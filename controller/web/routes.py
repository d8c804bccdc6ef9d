"""What every page needs: layers around each request, static files, home, live events, language switch."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from controller.keys import CONFIG, EVENTS
from controller.openapi import set_up_openapi
from controller.people.access import VIEWER
from controller.people.language import prefer_language
from controller.web.failures import answer_failures
from controller.web.guard import LANGUAGE_COOKIE, check_origin, know_session, public, require_session
from controller.web.held import local_path
from controller.web.home import set_up_home
from controller.web.i18n import LANGUAGES
from controller.web.intake import check_shape
from controller.web.once import set_up_once
from controller.web.page import nonce, see_other
from controller.web.security_txt import PATH, security_txt
from controller.web.stream import stream_events
from controller.web.template import set_up_templates

STATIC = Path(__file__).parent / "static"
_YEAR_S = 365 * 86_400
_FOR_DEVICES = "/device/"


def setup(app: web.Application) -> None:
    """Adds the layers, outermost first, and the pages that belong to no capability."""
    app.middlewares.extend((answer_failures, check_shape, know_session, check_origin, require_session))
    app.on_response_prepare.append(add_security_headers)
    app.on_shutdown.append(_end_streams)
    set_up_templates(app)
    set_up_once(app)
    set_up_openapi(app)
    set_up_home(app)
    (STATIC / "vendor").mkdir(exist_ok=True)
    app.router.add_static("/static/", STATIC)
    app.router.add_get("/events", stream_events)
    app.router.add_post("/language", switch_language)
    app.router.add_get("/health", health)
    app.router.add_get(PATH, security_txt)


async def _end_streams(app: web.Application) -> None:
    app[EVENTS].close()


@public
async def health(_request: web.Request) -> web.Response:
    """Says that the service answers."""
    return web.json_response({"ok": True})


@public
async def switch_language(request: web.Request) -> web.Response:
    """Changes the language of pages, and of the account when one is signed in."""
    form = await request.post()
    language = str(form.get("language", ""))
    response = see_other(local_path(str(form.get("onward", "/"))))
    if language in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_S, samesite="Lax", httponly=True, path="/")
        if VIEWER in request:
            await prefer_language(request.app, request[VIEWER].account, language)
    return response


async def add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Nothing foreign is loaded, framed or sniffed; forms go to us and to the signer only.

    What a device asks is no page: it asks 1,700 times a day by SIM, and these words were half of all it was sent.
    """
    if request.path.startswith(_FOR_DEVICES):
        return
    config = request.app[CONFIG]
    panel = config.panel_url or "'none'"
    policy = (
        f"default-src 'self'; form-action 'self' {config.signer_url}; connect-src 'self' {config.signer_url}; "
        f"frame-src {panel}; media-src 'self' blob:; "
        f"img-src 'self' data:; style-src 'self' 'nonce-{nonce(request)}'; base-uri 'none'; object-src 'none'; "
        "frame-ancestors 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Permissions-Policy", "geolocation=(), camera=()")
    if request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-cache")
