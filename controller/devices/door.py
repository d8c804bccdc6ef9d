"""The door for devices: who comes in over mutual TLS is known by certificate, and sees only what is for devices.

The pages' own port shows nothing of devices once there is a door; without one, a device on this machine may come with
its token.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from controller.broker.tls import peer_certificate, server_context
from controller.config import Config
from controller.devices.queries import Enrolled
from controller.devices.recognised import recognised_by_certificate, recognised_by_token
from controller.keys import CONFIG, ENGINE
from controller.web.explained import N_, Explained, not_found
from controller.web.guard import Handler

PATHS: Final = ("/device/", "/media/", "/root/")
"""All that a device asks for."""
ONLY_DEVICES: Final = "/device/"
DEVICE: web.RequestKey[Enrolled] = web.RequestKey("device")


@asynccontextmanager
async def open_door(runner: web.BaseRunner, config: Config) -> AsyncIterator[int | None]:
    """Listens for devices until the block ends; gives the port, or None when no device CA is set up.

    Raises:
        DeviceTlsError: its certificate or key cannot be used.
        OSError: the port is taken.
    """
    if config.device_tls is None:
        yield None
        return
    context = server_context(config.device_tls)
    site = web.TCPSite(runner, config.listening_host, config.device_port, ssl_context=context)
    await site.start()
    try:
        yield int(runner.addresses[-1][1])
    finally:
        await site.stop()


@web.middleware
async def know_device(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Behind the door: whose certificate it is. Before it: nothing for devices, unless there is no door."""
    connection = _tls_of(request)
    if connection is None:
        if request.app[CONFIG].device_tls is not None and request.path.startswith(ONLY_DEVICES):
            raise Explained(
                N_("Devices come to the door for devices, with their certificate."), status=403, code="wrong_door"
            )
        return await handler(request)
    if not request.path.startswith(PATHS):
        raise not_found()
    shown = peer_certificate(connection)
    found = await recognised_by_certificate(request.app[ENGINE], shown) if shown is not None else None
    if found is None:
        raise _unknown()
    request[DEVICE] = found
    return await handler(request)


def _tls_of(request: web.Request) -> ssl.SSLObject | None:
    found = request.transport.get_extra_info("ssl_object") if request.transport is not None else None
    return found if isinstance(found, ssl.SSLObject) else None


async def device_of(request: web.Request) -> Enrolled:
    """The device that asks: by its certificate, or on this machine by its token.

    Raises:
        Explained: nobody's.
    """
    if DEVICE in request:
        return request[DEVICE]
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        found = await recognised_by_token(request.app[ENGINE], token)
        if found is not None:
            return found
    raise _unknown()


def _unknown() -> Explained:
    return Explained(N_("This device is not enrolled here."), status=401, code="unknown_device")
