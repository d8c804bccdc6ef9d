"""One connection to the broker that comes back for ever."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

import aiomqtt

from controller.broker.address import BrokerAddress
from controller.ports import BrokerAwayError

logger = logging.getLogger(__name__)

KEEP_ALIVE_S: Final = 20
ACKNOWLEDGED_WITHIN_S: Final = 10
INCOMING_MAX: Final = 20_000
OUTGOING_MAX: Final = 2_000
RETRY_S_MIN: Final = 0.2
RETRY_S_MAX: Final = 10.0
STABLE_S: Final = 60.0
YIELDING_S_MAX: Final = 60.0
_ENDED_EARLY_MANY: Final = 8

Received = Callable[[str, bytes, bool], None]
"""Topic, payload and whether the broker had retained it."""


class MqttLink:
    """Publishes, and hands over what comes on its topics.

    Args:
        identifier: fixed, so that a broker with persistent sessions keeps reports while we are away.
        connected: called each time the connection stands and its topics are subscribed.
    """

    def __init__(
        self,
        identifier: str,
        *,
        topics: Sequence[str] = (),
        received: Received | None = None,
        connected: Callable[[], Coroutine[None, None, None]] | None = None,
    ) -> None:
        self._identifier = identifier
        self._topics = topics
        self._received = received
        self._connected = connected
        self._client: aiomqtt.Client | None = None
        self._failures = self._ended_early = 0
        self.connections = 0
        """How often the connection was made."""

    @property
    def up(self) -> bool:
        """Whether the broker is there now."""
        return self._client is not None

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> None:
        """Returns when the broker has acknowledged, or with QoS 0 when it was sent. Raises BrokerAwayError."""
        client = self._client
        if client is None:
            raise BrokerAwayError("the broker is away")
        try:
            await client.publish(topic, payload, qos=qos, retain=retain)
        except (aiomqtt.MqttError, RuntimeError) as error:
            raise BrokerAwayError(str(error)) from error

    async def run(self, address: BrokerAddress) -> None:
        """Connects, serves, and starts again, until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            began_s, former = loop.time(), self.connections
            try:
                await self._serve(address)
            except (aiomqtt.MqttError, OSError, ValueError) as error:
                self._tell(error, address)
            delay = self._pause_s(loop.time() - began_s if self.connections > former else None)
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311 - spreads reconnects, guards nothing

    def _pause_s(self, stood_s: float | None) -> float:
        """How long to wait at most before the next try.

        Two controllers of one name, such as one on a copy of the other's directory, throw each other off the broker.
        Both would come back at once and send everything again, several times a second: so they yield to each other.

        Args:
            stood_s: how long the last connection was there; None when none was made.
        """
        away_s: float = min(RETRY_S_MIN * 2 ** min(self._failures, 8), RETRY_S_MAX)
        if stood_s is None:
            return away_s
        self._ended_early = self._ended_early + 1 if stood_s < STABLE_S else 0
        if self._ended_early == _ENDED_EARLY_MANY:
            logger.error("the broker ends our connection %s again and again: is this controller running twice?", self)
        yielding_s: float = min(RETRY_S_MIN * 2 ** min(self._ended_early, 16), YIELDING_S_MAX)
        return max(away_s, yielding_s)

    def __str__(self) -> str:
        return self._identifier

    async def _serve(self, address: BrokerAddress) -> None:
        async with self._open(address) as client:
            for topic in self._topics:
                await client.subscribe(topic, qos=1)
            self._client, self._failures = client, 0
            self.connections += 1
            logger.info("connected to the broker at %s:%d", address.host, address.port)
            told = asyncio.create_task(self._connected()) if self._connected else None
            try:
                async for message in client.messages:
                    self._hand_over(message)
            finally:
                self._client = None
                if told is not None:
                    told.cancel()
                    await asyncio.gather(told, return_exceptions=True)

    def _open(self, address: BrokerAddress) -> aiomqtt.Client:
        return aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            identifier=self._identifier,
            clean_session=not self._topics,
            keepalive=KEEP_ALIVE_S,
            timeout=ACKNOWLEDGED_WITHIN_S,
            max_queued_incoming_messages=INCOMING_MAX,
            max_queued_outgoing_messages=OUTGOING_MAX,
            max_inflight_messages=OUTGOING_MAX,
            tls_context=(address.context or ssl.create_default_context()) if address.tls else None,
        )

    def _hand_over(self, message: aiomqtt.Message) -> None:
        if self._received is not None and isinstance(message.payload, bytes | bytearray):
            self._received(message.topic.value, bytes(message.payload), message.retain)

    def _tell(self, error: Exception, address: BrokerAddress) -> None:
        level = logging.DEBUG if self._failures else logging.WARNING
        logger.log(level, "the broker at %s:%d is away: %s", address.host, address.port, error)
        self._failures += 1
