"""`GET /hello`: tells the configured controller's pages that the signer runs, and for which offices.

The only address that another origin may read. It holds nothing secret: offices and ends are in signed documents that
the controller has itself. Nothing is signed or changed by it, no cookie takes part, and an origin that is not the
configured one learns not even that somebody answered.
"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from signer.errors import ForbiddenError
from signer.expiry import Ending, endings, root_ending
from signer.i18n import gettext as _
from signer.i18n import language
from signer.keys import CONFIG, PEN, PLACES, WALL
from signer.places import Places
from signer.root import metadata_of, program_version

PATH: Final = "/hello"
_MAX_AGE_S: Final = 600


def setup(app: web.Application) -> None:
    """Adds the address and its preflight."""
    app.router.add_get(PATH, hello, allow_head=False)
    app.router.add_options(PATH, preflight)


async def hello(request: web.Request) -> web.Response:
    """What a page of the controller may know."""
    headers = _allowed(request)
    pen, places, wall = request.app[PEN], request.app[PLACES], request.app[WALL]()
    config = request.app[CONFIG]
    look = await pen.ring.look()
    found = endings(pen.store.known(), look.keys, wall)
    root = root_ending(metadata_of(config.data), wall)
    body: dict[str, Any] = {
        "program": "loalang-signer",
        "version": program_version(),
        "language": language(),
        "demo": config.demo,
        "keys": len(look.keys),
        "offices": [_said(one, places) for one in found],
        "root": None if root is None else {"ends": root.ends, "days": root.days, "warning": root.step},
    }
    return web.json_response(body, headers=headers)


async def preflight(request: web.Request) -> web.Response:
    """Answers what a browser asks before it reads from a private address (Private Network Access)."""
    headers = _allowed(request)
    if request.headers.get("Access-Control-Request-Method") != "GET":
        raise ForbiddenError(_("This page may not read from the signer."))
    headers |= {"Access-Control-Allow-Methods": "GET", "Access-Control-Max-Age": str(_MAX_AGE_S)}
    if request.headers.get("Access-Control-Request-Private-Network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return web.Response(status=204, headers=headers)


def _allowed(request: web.Request) -> dict[str, str]:
    """Headers for the origin that asks; a request without one comes from this machine's own programs."""
    sent_from = request.headers.get("Origin")
    if sent_from is None:
        return {}
    if sent_from not in request.app[CONFIG].controller_origins:
        raise ForbiddenError(_("This page may not read from the signer."))
    return {"Access-Control-Allow-Origin": sent_from}


def _said(one: Ending, places: Places) -> dict[str, Any]:
    assert one.scope is not None, "an office has a unit"
    named = places.name(one.scope)
    return {"office": one.office, "unit": named, "ends": one.ends, "days": one.days, "warning": one.step}
