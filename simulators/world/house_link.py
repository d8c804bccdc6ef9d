"""The controller's own connections to the broker, on the same machine or in the same rack: no delay, but it may be
away.

Stands for `controller/broker/link.py` over aiomqtt, below the real `MqttPublisher`: comes back for ever,
acknowledges a report as soon as it has come, and is thrown off by another controller of the same name.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

from controller.broker.address import BrokerAddress
from controller.broker.link import RETRY_S_MAX, MqttLink, Received
from controller.ports import BrokerAwayError
from simulators.world.broker import Broker, Connection, Message

NOWHERE: Final = BrokerAddress("broker", 0)
"""The model needs no address."""


class HouseLink(MqttLink):
    """One of the three connections.

    Args:
        broker: the model.
        chance: draws the pauses.
    """

    def __init__(
        self,
        broker: Broker,
        chance: random.Random,
        identifier: str,
        *,
        topics: Sequence[str] = (),
        received: Received | None = None,
        connected: Callable[[], Coroutine[None, None, None]] | None = None,
    ) -> None:
        super().__init__(identifier, topics=topics, received=received, connected=connected)
        self._broker, self._chance = broker, chance
        self._connection: Connection | None = None

    @property
    def up(self) -> bool:
        """See `MqttLink`."""
        return self._connection is not None

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> None:
        """See `MqttLink`."""
        connection = self._connection
        if connection is None or not connection.publish(Message(topic, payload, qos), retain=retain):
            raise BrokerAwayError("the broker is away")

    async def run(self, address: BrokerAddress) -> None:
        """See `MqttLink`; while the broker does not run, nobody asks it in vain."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wait_broker()
            ended: asyncio.Future[None] = loop.create_future()
            connection, began_s = self._connect(ended), loop.time()
            if connection is not None:
                await self._stay(connection, ended)
            pause_s = self._pause_s(None if connection is None else loop.time() - began_s)
            await asyncio.sleep(pause_s * self._chance.uniform(0.5, 1))

    async def _wait_broker(self) -> None:
        if self._broker.up:
            return
        back: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def look() -> None:
            if self._broker.up and not back.done():
                back.set_result(None)

        self._broker.watch(look)
        try:
            await back
        finally:
            self._broker.unwatch(look)
        await asyncio.sleep(RETRY_S_MAX * self._chance.uniform(0, 1))

    def _connect(self, ended: asyncio.Future[None]) -> Connection | None:
        def hung_up() -> None:
            self._connection = None
            if not ended.done():
                ended.set_result(None)

        return self._broker.connect(self._identifier, deliver=self._deliver, ended=hung_up, clean=not self._topics)

    async def _stay(self, connection: Connection, ended: asyncio.Future[None]) -> None:
        self._connection, self._failures = connection, 0
        connection.resume()
        connection.subscribe((topic, 1) for topic in self._topics)
        self.connections += 1
        telling = asyncio.create_task(self._connected()) if self._connected else None
        try:
            await ended
        finally:
            self._failures, self._connection = 1, None
            connection.end()
            if telling is not None:
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)

    def _deliver(self, number: int, message: Message) -> None:
        # aiomqtt acknowledges what it has received, before anybody has looked at it.
        if number and self._connection is not None:
            self._connection.acknowledge(number)
        if self._received is not None:
            self._received(message.topic, message.payload, message.retained)
