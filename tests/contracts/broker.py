"""Real brokers for the link's contract: the one inside the controller, and mosquitto when it is installed.

Each is tried plainly and with mutual TLS, where a device is whoever its certificate says.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from controller.broker.embedded import EmbeddedBroker
from controller.broker.rights import ControllerRights, DeviceRights, Offer, Rights
from controller.broker.tls import server_context
from edge.adapters.tls import client_context
from protocol.units import UnitPath
from tests.component import need
from tests.contracts.papers import Authority, authority

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
PLAIN = ("embedded", "mosquitto")
NAMES = (*PLAIN, "embedded tls", "mosquitto tls")
DEVICE = "dev-c07"
PLACE = UnitPath("vn/92/31498/c07")
MOVED = UnitPath("vn/92/31507/c01")


@dataclass(frozen=True, slots=True)
class Running:
    """A broker that answers.

    Attributes:
        port: for devices.
        inside: for the controller; plain.
        tls: what a device needs to connect.
    """

    port: int
    inside: int
    tls: ssl.SSLContext | None = None


class OpenGate:
    """Everybody is who they say: this is about the link, not about rights."""

    async def renew(self, rights: Rights) -> Rights:
        return rights

    async def admit(self, offer: Offer) -> Rights | None:
        if offer.certificate is not None and offer.certificate.name != offer.username:
            return None
        return DeviceRights(offer.username, PLACE, MOVED) if offer.username else ControllerRights()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.asynccontextmanager
async def running(name: str, directory: Path) -> AsyncIterator[Running]:
    """A running broker of that name."""
    kind, _, secure = name.partition(" ")
    need(kind != "mosquitto" or MOSQUITTO is not None, "mosquitto")
    province = authority(directory / "province") if secure else None
    async with _embedded(province) if kind == "embedded" else _mosquitto(directory, province) as broker:
        yield broker


def device_tls(province: Authority | None, device: str = DEVICE) -> ssl.SSLContext | None:
    """What a freshly enrolled device connects with."""
    if province is None:
        return None
    papers = province.enrol(device)
    return client_context(papers.ca, certificate=papers.certificate, key=papers.key)


@contextlib.asynccontextmanager
async def _embedded(province: Authority | None) -> AsyncIterator[Running]:
    tls = server_context(province.server) if province else None
    broker = EmbeddedBroker(host="127.0.0.1", port=0, gate=OpenGate(), tls=tls)
    await broker.start()
    try:
        yield Running(broker.port, broker.inside[1], device_tls(province))
    finally:
        await broker.shutdown()


@contextlib.asynccontextmanager
async def _mosquitto(directory: Path, province: Authority | None) -> AsyncIterator[Running]:
    inside = free_port()
    settings = f"per_listener_settings true\nset_tcp_nodelay true\nuser root\n{plain_listener(inside)}"
    port = free_port() if province else inside
    if province:
        settings += tls_listener(port, province.server)
    async with mosquitto(directory, settings, port=port):
        yield Running(port, inside, device_tls(province))


def plain_listener(port: int) -> str:
    """For programs on the broker's own machine."""
    return f"listener {port} 127.0.0.1\nallow_anonymous true\n"


def tls_listener(port: int, directory: Path, *more: str) -> str:
    """As `controller/broker/__init__.py` describes it for devices."""
    lines = (
        f"listener {port} 127.0.0.1",
        "allow_anonymous false",
        f"cafile {directory}/ca.pem",
        f"certfile {directory}/server.pem",
        f"keyfile {directory}/server-key.pem",
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
        *more,
    )
    return "\n".join(lines) + "\n"


@contextlib.asynccontextmanager
async def mosquitto(directory: Path, settings: str, *, port: int) -> AsyncIterator[None]:
    """Runs mosquitto until the block ends."""
    assert MOSQUITTO is not None, "asked for by whoever calls"
    config = directory / "mosquitto.conf"
    config.write_text(settings)
    process = await asyncio.create_subprocess_exec(MOSQUITTO, "-c", str(config), stderr=asyncio.subprocess.DEVNULL)
    try:
        await _listening(port)
        yield
    finally:
        process.terminate()
        await process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                await writer.wait_closed()
                return
