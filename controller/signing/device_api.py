"""What a device asks over HTTP: the time, and all that it should hold (the path beside the broker)."""

from __future__ import annotations

import asyncio
import json
from typing import Final

from aiohttp import web

from controller.devices.door import device_of
from controller.keys import CLOCK
from controller.signing.freshness import attest
from controller.signing.keys import DISTRIBUTION, FRESHNESS
from controller.signing.shelf import as_json
from controller.web.explained import N_, Explained
from controller.web.guard import public
from protocol.units import UnitPath

WAIT_S_MAX: Final = 55
_CURSOR_CHARS_MAX: Final = 64


def add_routes(app: web.Application) -> None:
    """Adds the routes of devices."""
    app.router.add_post("/device/v1/attest", answer_nonce)
    app.router.add_get("/device/v1/documents", give_documents)


@public
async def answer_nonce(request: web.Request) -> web.Response:
    """The time, signed together with the device's nonce."""
    await device_of(request)
    try:
        body = await request.json()
        envelope = attest(request.app[FRESHNESS], body["nonce"], request.app[CLOCK]())
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise Explained(N_("A nonce is 32 hexadecimal digits."), status=400, code="malformed") from error
    return web.Response(body=envelope.pack(), content_type="application/json")


@public
async def give_documents(request: web.Request) -> web.Response:
    """Everything for the device's place as soon as it differs from what the device has; else 204 after the wait."""
    device = await device_of(request)
    place = UnitPath(request.query.get("place", device.place))
    if place not in device.places:
        raise Explained(N_("This device is enrolled at another place."), status=403, code="wrong_place")
    cursor = request.query.get("cursor", "")[:_CURSOR_CHARS_MAX]
    shelf = request.app[DISTRIBUTION].shelf
    loop = asyncio.get_running_loop()
    until = loop.time() + _wait_s(request.query.get("wait", "0"))
    while (answer := shelf.answer(place)).cursor == cursor:
        left = until - loop.time()
        if left <= 0 or shelf.closed:
            return web.Response(status=204)
        await shelf.wait(seconds=left)
    return web.json_response(as_json(answer))


def _wait_s(text: str) -> int:
    return min(int(text), WAIT_S_MAX) if text.isascii() and text.isdigit() and len(text) < 6 else 0
