"""Forms of a device's page, and calls for programs, by which a technician shuts it out or gives it something new."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from controller.devices.credentials import certify, renew_token, shut_out
from controller.devices.pages import device_asked
from controller.keys import CONFIG
from controller.openapi import TEXT, ApiRoute, add_api, record
from controller.web.explained import N_, Explained
from controller.web.i18n import gettext
from controller.web.once import Done, once
from controller.web.page import Told, page
from controller.web.strict_json import loads


def add_routes(app: web.Application) -> None:
    """Adds the forms."""
    app.router.add_post("/devices/{device}/certificate", take_certificate)
    app.router.add_post("/devices/{device}/token", make_token)
    app.router.add_post("/devices/{device}/revoke", take_away)


def add_identity_api(app: web.Application) -> None:
    """Adds the calls."""
    add_api(
        app,
        ApiRoute(
            "POST",
            "/devices/{device}/certificate",
            post_certificate,
            summary="Register the certificate that the device connects with; the former one opens nothing any more",
            request=record(certificate=TEXT),
            response=record(fingerprint=TEXT),
        ),
        ApiRoute(
            "POST",
            "/devices/{device}/token",
            post_token,
            summary="Give the device a new token; it is in this answer and nowhere else",
            response=record(token=TEXT),
        ),
        ApiRoute(
            "POST",
            "/devices/{device}/revoke",
            post_revoke,
            summary="Shut the device out until it has a new certificate or token",
            response=record(id=TEXT),
        ),
    )


async def take_certificate(request: web.Request) -> web.Response:
    """Registers what was pasted."""
    form, device = await request.post(), device_asked(request)

    async def work() -> Done:
        await certify(request, device, str(form.get("certificate", "")))
        words = gettext("The certificate is registered. The device connects with it, and with no other one.")
        return Done(f"/devices/{device.enrolled.id}", Told(words))

    return await once(request, str(form.get("once", "")), work)


async def make_token(request: web.Request) -> web.Response:
    """Shows a new secret, once: on this page and nowhere else."""
    device = device_asked(request)
    token = await renew_token(request, device)
    made = {"device": device.enrolled, "token": token, "config": request.app[CONFIG]}
    return page(request, "devices/enrol.html", {"units": [], "made": made})


async def take_away(request: web.Request) -> web.Response:
    """Shuts the device out."""
    form, device = await request.post(), device_asked(request)

    async def work() -> Done:
        await shut_out(request, device)
        words = gettext("The device is shut out. What it holds already goes on playing; it gets nothing new.")
        return Done(f"/devices/{device.enrolled.id}", Told(words))

    return await once(request, str(form.get("once", "")), work)


async def post_certificate(request: web.Request) -> web.Response:
    """For programs."""
    body = await _object(request)
    fingerprint = await certify(request, device_asked(request), str(body.get("certificate", "")))
    return web.json_response({"fingerprint": fingerprint})


async def post_token(request: web.Request) -> web.Response:
    """For programs."""
    return web.json_response({"token": await renew_token(request, device_asked(request))})


async def post_revoke(request: web.Request) -> web.Response:
    """For programs."""
    device = device_asked(request)
    await shut_out(request, device)
    return web.json_response({"id": device.enrolled.id})


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json(loads=loads)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Explained(N_("The request is JSON with the field certificate."), code="bad_request")
    return body
