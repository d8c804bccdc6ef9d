"""Real brokers for the link's contract: the one inside the controller, and mosquitto when it is installed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from controller.broker.embedded import EmbeddedBroker
from controller.broker.rights import ControllerRights, DeviceRights, Offer, Rights
from protocol.units import UnitPath
from tests.component import need

MOSQUITTO = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
NAMES = ("embedded", "mosquitto")
PLACE = UnitPath("vn/92/31498/c07")


class OpenGate:
    """Everybody is who they say: this is about the link, not about rights."""

    async def admit(self, offer: Offer) -> Rights | None:
        return DeviceRights(offer.username, PLACE) if offer.username else ControllerRights()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.asynccontextmanager
async def running(name: str, directory: Path) -> AsyncIterator[int]:
    """The port of a running broker of that name."""
    need(name != "mosquitto" or MOSQUITTO is not None, "mosquitto")
    async with _embedded() if name == "embedded" else _mosquitto(directory) as port:
        yield port


@contextlib.asynccontextmanager
async def _embedded() -> AsyncIterator[int]:
    broker = EmbeddedBroker(host="127.0.0.1", port=0, gate=OpenGate())
    await broker.start()
    try:
        yield broker.port
    finally:
        await broker.shutdown()


@contextlib.asynccontextmanager
async def _mosquitto(directory: Path) -> AsyncIterator[int]:
    assert MOSQUITTO is not None, "asked for above"
    port = free_port()
    config = directory / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nuser root\n")
    process = await asyncio.create_subprocess_exec(MOSQUITTO, "-c", str(config), stderr=asyncio.subprocess.DEVNULL)
    try:
        await _listening(port)
        yield port
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
