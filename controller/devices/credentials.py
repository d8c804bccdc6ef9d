"""Takes away what opens for a device, and gives it something new: technicians do it, and the log says so."""

from __future__ import annotations

from aiohttp import web

from controller.audit.log import note
from controller.broker.keys import EMBEDDED
from controller.broker.tls import PeerCertificate, read_device_certificate
from controller.devices.identity import give_token, register_certificate, revoke
from controller.devices.keys import INGEST
from controller.devices.live import DeviceNow
from controller.devices.token import new_token
from controller.keys import CLOCK, CONFIG, ENGINE
from controller.people.access import require
from controller.people.domain import Role
from controller.store.engine import writing
from controller.web.explained import N_, Explained

CERTIFICATE_CHARS_MAX = 16_000


def read_certificate(request: web.Request, device: str, text: str) -> PeerCertificate:
    """A certificate that a technician brings for a device.

    Raises:
        Explained: it cannot be one of this device.
    """
    directory = request.app[CONFIG].device_tls
    if directory is None:
        raise Explained(
            N_("This controller has no device CA yet, so devices come with a secret."), status=409, code="no_ca"
        )
    try:
        found = read_device_certificate(text[:CERTIFICATE_CHARS_MAX], directory)
    except (ValueError, OSError):
        raise Explained(
            N_("This is not a certificate of this province's device CA. Paste the whole text of device.pem."),
            code="bad_certificate",
        ) from None
    if found.name != device:
        raise Explained(
            N_("This certificate is for the device %(name)s. Register it there."),
            name=found.name,
            code="other_device",
        )
    return found


async def certify(request: web.Request, device: DeviceNow, text: str) -> str:
    """From now on the device connects with this certificate only; gives its fingerprint. Raises Explained."""
    viewer = require(request, Role.TECHNICIAN, device.unit)
    shown = read_certificate(request, device.enrolled.id, text)
    now = request.app[CLOCK]()
    async with writing(request.app[ENGINE]) as connection:
        if not await register_certificate(connection, device.enrolled.id, shown.fingerprint, now=now):
            raise Explained(N_("Another device uses this certificate."), status=409, code="taken")
        subject = f"{device.unit}#{device.enrolled.id}"
        await note(
            connection, "device.certify", at=now, account=viewer.account, subject=subject, detail=shown.fingerprint
        )
    await _let_in_anew(request.app, device)
    return shown.fingerprint


async def renew_token(request: web.Request, device: DeviceNow) -> str:
    """From now on the device connects with this token only. Raises Explained."""
    viewer = require(request, Role.TECHNICIAN, device.unit)
    if request.app[CONFIG].device_tls is not None:
        raise Explained(
            N_("Devices of this controller come with a certificate. Register a new certificate instead."),
            status=409,
            code="no_tokens",
        )
    token, now = new_token(), request.app[CLOCK]()
    async with writing(request.app[ENGINE]) as connection:
        await give_token(connection, device.enrolled.id, token)
        subject = f"{device.unit}#{device.enrolled.id}"
        await note(connection, "device.token", at=now, account=viewer.account, subject=subject)
    await _let_in_anew(request.app, device)
    return token


async def shut_out(request: web.Request, device: DeviceNow) -> None:
    """Nothing opens for whoever has the device's identity, from this moment on. Raises Explained."""
    viewer = require(request, Role.TECHNICIAN, device.unit)
    now = request.app[CLOCK]()
    async with writing(request.app[ENGINE]) as connection:
        await revoke(connection, device.enrolled.id, now=now)
        subject = f"{device.unit}#{device.enrolled.id}"
        await note(connection, "device.revoke", at=now, account=viewer.account, subject=subject)
    await _let_in_anew(request.app, device)


async def _let_in_anew(app: web.Application, device: DeviceNow) -> None:
    """Ends the connection that stands: whoever may come in comes back by itself."""
    device.watch.forget()
    await app[INGEST].renew_roster()
    if EMBEDDED in app:
        app[EMBEDDED].expel(device.enrolled.id)
