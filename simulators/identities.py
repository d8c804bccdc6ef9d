"""Stands in for the technicians of the demo: keys are made, the device CA signs, and each certificate is registered.

What happens on many machines in a real province happens here on one: the CA's sealed key lies in `ceremony`, the
devices' own keys in `device-keys`, and the controller gets only its own certificate, in `device-tls`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import aiohttp

from provisioning.device_ca import DeviceCa, make_ca, open_ca, pem_of
from provisioning.device_key import CERTIFICATE, make_request, take_certificate
from provisioning.passphrase import make_passphrase
from signer.disk import write_durably
from simulators.child import ChildError

NAME: Final = "Loa Làng demo device CA"
_COST: Final = 2**14
_REGISTERED: Final = "registered"


def keys_of(data: Path) -> Path:
    """Where each device has a directory with its key and certificate."""
    return data / "device-keys"


def tls_of(data: Path) -> Path:
    """What the controller and an outside broker need."""
    return data / "device-tls"


def make_identities(data: Path, devices: Sequence[str]) -> None:
    """Makes what is missing; a device keeps the key it has."""
    missing = [one for one in devices if not (keys_of(data) / one / CERTIFICATE).exists()]
    if not missing and (tls_of(data) / "server.pem").exists():
        return
    ca = _authority(data / "ceremony" / "device-ca")
    certificate, key = ca.server_certificate(("127.0.0.1", "localhost"))
    write_durably(tls_of(data) / "server-key.pem", key)
    write_durably(tls_of(data) / "ca.pem", pem_of(ca.certificate))
    write_durably(tls_of(data) / "server.pem", certificate)
    for one in missing:
        directory = keys_of(data) / one
        signed = ca.sign_device(make_request(directory, one).read_bytes())
        take_certificate(directory, device=one, certificate=signed, ca=pem_of(ca.certificate))


def _authority(directory: Path) -> DeviceCa:
    secret = directory / "passphrase.txt"
    if (directory / "ca.pem").exists():
        return open_ca(directory, secret.read_text(encoding="utf-8"))
    write_durably(secret, make_passphrase().encode())
    return make_ca(directory, name=NAME, passphrase=secret.read_text(encoding="utf-8"), cost=_COST)


async def register(data: Path, controller: str, devices: Sequence[str], *, login: str, password: str) -> None:
    """Registers each certificate once, as a technician does: who was shut out later stays shut out.

    Raises:
        ChildError: the controller does not take them.
    """
    fresh = [one for one in devices if not (keys_of(data) / one / _REGISTERED).exists()]
    if not fresh:
        return
    async with aiohttp.ClientSession(controller, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        csrf = (await _post(session, "/api/v1/session", {"login": login, "password": password}))["csrf"]
        session.headers["X-CSRF-Token"] = csrf
        for one in fresh:
            text = (keys_of(data) / one / CERTIFICATE).read_text(encoding="ascii")
            await _post(session, f"/api/v1/devices/{one}/certificate", {"certificate": text})
            (keys_of(data) / one / _REGISTERED).touch()


async def _post(session: aiohttp.ClientSession, path: str, body: dict[str, str]) -> dict[str, str]:
    async with session.post(path, json=body) as answer:
        if answer.status != 200:
            raise ChildError(f"the controller does not take the devices' certificates: {await answer.text()}")
        found: dict[str, str] = await answer.json()
        return found
