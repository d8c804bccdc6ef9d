"""The worlds' made-up broker and line, in real time, in the shape in which the link's contract asks for real ones."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Final

import aiomqtt

from edge.adapters.mqtt_link import MqttLink
from simulators.world.broker import Broker, Message
from simulators.world.line import HALF_OPEN, Line
from simulators.world.mqtt import Access, WorldLink
from tests.contracts.broker import DEVICE, PLACE

NAMES: Final = ("world inside", "world outside")


@dataclass(slots=True)
class WorldNetwork:
    """The line, with the hands of `simulators.network.Network`."""

    line: Line

    def cut(self) -> None:
        self.line.cut()

    def half_open(self) -> None:
        self.line.begin(HALF_OPEN)

    def restore(self) -> None:
        self.line.restore()


@dataclass(slots=True)
class WorldRunning:
    """A made-up broker and the one line to it."""

    broker: Broker
    network: WorldNetwork = field(
        default_factory=lambda: WorldNetwork(Line(random.Random(1), delay_ms=0, jitter_ms=0))
    )

    def link(self, **options: Any) -> MqttLink:
        keepalive_s, timeout_s = options.pop("keepalive_s", 10), options.pop("timeout_s", 5.0)
        access = Access(DEVICE, self.network.line, self.broker, keepalive_s=keepalive_s, timeout_s=timeout_s)
        return WorldLink(access, PLACE, **options)


class WorldClient:
    """A client inside the house, with the face of `aiomqtt.Client`."""

    def __init__(self, broker: Broker) -> None:
        self._arrived: asyncio.Queue[tuple[int, Message]] = asyncio.Queue()
        connection = broker.connect(
            "controller", deliver=lambda *came: self._arrived.put_nowait(came), ended=lambda: None, clean=True
        )
        assert connection is not None, "it runs"
        self.connection = connection

    async def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        assert self.connection.publish(Message(topic, payload, qos), retain=retain)

    async def subscribe(self, topic: str, *, qos: int) -> None:
        self.connection.subscribe([(topic, qos)])

    @property
    async def messages(self) -> AsyncIterator[aiomqtt.Message]:
        while True:
            number, one = await self._arrived.get()
            self.connection.acknowledge(number)
            yield aiomqtt.Message(one.topic, one.payload, one.qos, one.retained, number, properties=None)
