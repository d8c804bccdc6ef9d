"""The simulated panel: a page for each device, made to live inside the controller's device page.

It answers only on 127.0.0.1, only under its own names, takes orders only from its own page, and may be framed only by
the controller: another site in the same browser must not press the talk button.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web

from simulators import panel_line
from simulators.face import CLOCKS, FAULTS, GUARDIAN, RUNGS, Devices, PanelDevice
from simulators.language import LANGUAGES, N_, language_of, translator

WEB = Path(__file__).parent / "web"
DEVICES: web.AppKey[Devices] = web.AppKey("DEVICES", dict)
FRAMERS: web.AppKey[tuple[str, ...]] = web.AppKey("FRAMERS", tuple)
PERMISSIONS = "microphone=(self), camera=(), geolocation=()"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# What the page's script says, by the names under which it asks.
SAYINGS = {
    "away": N_("The simulated village does not answer. The page tries again by itself."),
    "microphone_refused": N_("The browser did not give the microphone. Allow it, or choose the built-in recording."),
    "microphone_missing": N_("This machine has no microphone. Choose the built-in recording."),
    "talk": N_("Hold to talk"),
    "talk_locked": N_("Touch to talk"),
    "talking": N_("Talking …"),
    "talking_locked": N_("Touch to end"),
    "listen": N_("Listen to the village"),
    "listening": N_("Stop listening"),
    "message_none": N_("No message is signed"),
    "hung": N_("The computer hangs"),
    "no_power": N_("No power"),
    "linked": N_("Connected to the controller"),
    "unlinked": N_("No connection; the device goes on alone"),
    "stick_none": N_("Plug in a USB stick"),
    "stick_reading": N_("The device reads the stick …"),
    "stick_done": N_("The stick was read"),
    "stick_failed": N_("The stick could not be read"),
    "media": N_("programmes stored"),
}

_WORDS: dict[str, Mapping[Any, str]] = {
    "rungs": RUNGS,
    "clocks": CLOCKS,
    "faults": FAULTS,
    "guardian": GUARDIAN,
    "sayings": SAYINGS,
}


def make_panel(devices: Devices, *, framers: tuple[str, ...] = ()) -> web.Application:
    """The application.

    Args:
        devices: by device id; looked up at each request, so devices may come later.
        framers: origins, such as the controller's, whose pages may frame ours.
    """
    app = web.Application(middlewares=[_guard])
    app[DEVICES] = devices
    app[FRAMERS] = framers
    loader = jinja2.FileSystemLoader(WEB / "templates")
    aiohttp_jinja2.setup(app, loader=loader, autoescape=True, extensions=["jinja2.ext.i18n"])
    app.router.add_get("/", _village)
    app.router.add_get("/panel/{device}", _panel)
    app.router.add_get("/panel/{device}/line", _line)
    app.router.add_get("/panel/{device}/listen", _listen)
    app.router.add_static("/static", WEB / "static")
    return app


def _names(request: web.Request) -> tuple[str, ...]:
    """Our names, with the port of this connection."""
    local = request.transport.get_extra_info("sockname") if request.transport else None
    port = local[1] if local else 0
    return f"127.0.0.1:{port}", f"localhost:{port}"


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.host not in _names(request):
        raise web.HTTPMisdirectedRequest(text="This page answers under 127.0.0.1 only.")
    response = await handler(request)
    if not response.prepared:
        response.headers.update(_headers(request))
    return response


def _headers(request: web.Request) -> dict[str, str]:
    framers = request.app[FRAMERS]
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
        "form-action 'none'; "
        f"connect-src 'self' ws://{request.host}; frame-ancestors 'self' {' '.join(framers)}"
    )
    return {
        "Content-Security-Policy": policy,
        "Permissions-Policy": PERMISSIONS,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
    }


def _language(request: web.Request) -> str:
    return language_of(request.query.get("lang"), request.cookies.get("panel_language"))


def _page(name: str, request: web.Request, context: dict[str, object]) -> web.Response:
    language = _language(request)
    common = {"_": translator(language), "language": language, "languages": LANGUAGES}
    response = aiohttp_jinja2.render_template(name, request, common | context)
    response.set_cookie("panel_language", language, samesite="Lax", max_age=31_536_000)
    return response


def _device(request: web.Request) -> PanelDevice:
    found = request.app[DEVICES].get(request.match_info["device"])
    if found is None:
        raise web.HTTPNotFound(text="There is no such device in this village.")
    return found


async def _village(request: web.Request) -> web.Response:
    return _page(
        "village.html", request, {"devices": sorted(request.app[DEVICES].values(), key=lambda one: one.place)}
    )


async def _panel(request: web.Request) -> web.Response:
    spoken = translator(_language(request))
    words = {
        topic: {name: spoken(sentence) for name, sentence in sentences.items()} for topic, sentences in _WORDS.items()
    }
    return _page("panel.html", request, {"device": _device(request), "words": words})


def _check_origin(request: web.Request) -> None:
    """A browser names the page that opens a socket; only ours may."""
    if request.headers.get("Origin") not in {f"http://{name}" for name in _names(request)}:
        raise web.HTTPForbidden(text="Only the panel's own page may touch the panel.")


async def _line(request: web.Request) -> web.StreamResponse:
    device = _device(request)
    _check_origin(request)
    return await panel_line.serve_line(request, device)


async def _listen(request: web.Request) -> web.StreamResponse:
    device = _device(request)
    _check_origin(request)
    return await panel_line.serve_listener(request, device)
