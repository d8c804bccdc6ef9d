"""Starts the broker and the controller's connections with the service."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from controller.broker.address import BrokerAddress, broker_address
from controller.broker.embedded import EmbeddedBroker
from controller.broker.gate import CONTROLLER, DeviceGate
from controller.broker.keys import EMBEDDED, MQTT, REPORT_LISTENERS
from controller.broker.publisher import MqttPublisher
from controller.broker.tls import client_context, server_context
from controller.keys import CONFIG, ENGINE, PUBLISHER

_GATE: web.AppKey[DeviceGate] = web.AppKey("device_gate")
logger = logging.getLogger(__name__)


def setup(app: web.Application) -> None:
    """Adds the publisher and the background work."""
    config = app[CONFIG]
    listeners = app.setdefault(REPORT_LISTENERS, [])

    def received(topic: str, payload: bytes, retained: bool) -> None:
        for listener in listeners:
            listener(topic, payload, retained)

    identifier = CONTROLLER if config.broker is None else fixed_identifier(config.data)
    app[MQTT] = MqttPublisher(identifier, received=received)
    app[PUBLISHER] = app[MQTT]
    if config.broker is None:
        app[_GATE] = DeviceGate(app[ENGINE], tokens=config.device_tls is None)
        tls = server_context(config.device_tls) if config.device_tls is not None else None
        app[EMBEDDED] = EmbeddedBroker(host=config.listening_host, port=config.mqtt_port, gate=app[_GATE], tls=tls)
    app.cleanup_ctx.append(_outside if config.broker else _embedded)


async def _outside(app: web.Application) -> AsyncIterator[None]:
    config = app[CONFIG]
    address = broker_address(config.broker or "")
    if address.tls and config.device_tls is not None:
        address = replace(address, context=client_context(config.device_tls))
    async for _ in _connected(app, address):
        yield


async def _embedded(app: web.Application) -> AsyncIterator[None]:
    broker, gate = app[EMBEDDED], app[_GATE]
    await broker.start()
    host, port = broker.inside
    address = BrokerAddress(host, port, username=CONTROLLER, password=gate.secret)
    async for _ in _connected(app, address):
        yield
    await broker.shutdown()


async def _connected(app: web.Application, address: BrokerAddress) -> AsyncIterator[None]:
    task = asyncio.create_task(app[MQTT].run(address))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def fixed_identifier(data: Path) -> str:
    """The same client id after each start, so that the broker keeps reports for us while we are away.

    A file that a power cut left empty is made anew: a broker refuses whoever has no name and wants to be remembered.
    """
    path = data / "mqtt_client_id"
    known = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
    if not re.fullmatch(rf"{re.escape(CONTROLLER)}\.[0-9a-f]{{8}}", known):
        known = f"{CONTROLLER}.{secrets.token_hex(4)}"
        _write_durably(path, known.encode("ascii"))
    return known


def _write_durably(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
