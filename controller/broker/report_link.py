"""The connection on which reports come: thousands in a second, so they are cut from the stream by the hundred.

paho asks the system five times for each message and turns the loop for each; a status then costs more to receive than
to understand. Here one read brings all that has come, and one write acknowledges it, after it was handed over.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from typing import Final

from controller.broker import wire
from controller.broker.address import BrokerAddress
from controller.broker.link import ACKNOWLEDGED_WITHIN_S, KEEP_ALIVE_S, MqttLink, Received
from controller.ports import BrokerAwayError
from protocol.limits import REPORT_BYTES_MAX

logger = logging.getLogger(__name__)

_LOOK_S: Final = KEEP_ALIVE_S / 2
_SILENT_S_MAX: Final = 2 * KEEP_ALIVE_S


class _Line(asyncio.Protocol):
    """One connection, from the first byte to its end."""

    def __init__(self, welcome: bytes, topics: Sequence[str], received: Received) -> None:
        loop = asyncio.get_running_loop()
        self._welcome, self._topics, self._received, self._loop = welcome, topics, received, loop
        self._packets = wire.Packets(REPORT_BYTES_MAX)
        self._writable = asyncio.Event()
        self._writable.set()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.heard_s = loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport), "a TCP connection"
        self.transport = transport
        transport.write(self._welcome)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self.heard_s = self._loop.time()
        numbers: list[bytes] = []
        try:
            for packet in self._packets.feed(data):
                self._take(packet, numbers)
        except wire.WireError as error:
            self._fail(error)
            return
        if numbers:
            self.transport.write(b"".join(wire.acknowledge(one) for one in numbers))

    def _take(self, packet: wire.Packet, numbers: list[bytes]) -> None:
        if packet.kind == wire.PUBLISH:
            message = self._packets.message(packet)
            self._received(message.topic, message.payload, message.retained)
            if message.number is not None:
                numbers.append(message.number)
        elif packet.kind == wire.CONNACK:
            if packet.body[1:2] != b"\x00":
                raise wire.WireError(f"the broker does not let us in: {packet.body[1:2].hex()}")
            self.transport.write(wire.subscribe(self._topics))
        elif packet.kind == wire.SUBACK:
            if any(code >= wire.REFUSED for code in packet.body[2:]):
                raise wire.WireError("the broker refuses a subscription")
            if not self.ready.done():
                self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._fail(exc or ConnectionResetError("the broker hung up"))

    def _fail(self, error: Exception) -> None:
        for outcome in (self.ready, self.ended):
            if not outcome.done():
                outcome.set_exception(error)
                outcome.exception()
        self._writable.set()
        self.transport.abort()

    def pause_writing(self) -> None:
        """See asyncio."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """See asyncio."""
        self._writable.set()

    async def write(self, data: bytes) -> None:
        """Returns when there is room for more. Raises BrokerAwayError."""
        await self._writable.wait()
        if self.ended.done():
            raise BrokerAwayError("the broker is away")
        self.transport.write(data)

    async def tend(self) -> None:
        """Asks for signs of life until the connection ends. Raises OSError, WireError."""
        while True:
            await asyncio.wait({self.ended}, timeout=_LOOK_S)
            if self.ended.done():
                await self.ended
            if self._loop.time() - self.heard_s > _SILENT_S_MAX:
                raise TimeoutError("the broker is silent")
            self.transport.write(wire.PING)


class ReportLink(MqttLink):
    """Hears what comes on its topics, and sends what may get lost (QoS 0)."""

    _line: _Line | None = None

    @property
    def up(self) -> bool:
        """Whether the broker is there now."""
        return self._line is not None

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 0) -> None:
        """Returns when it was sent. Raises BrokerAwayError."""
        assert qos == 0 and not retain, "what must arrive goes by another connection"
        if self._line is None:
            raise BrokerAwayError("the broker is away")
        await self._line.write(wire.publish(topic, payload))

    async def _serve(self, address: BrokerAddress) -> None:
        line = await self._opened(address)
        try:
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                await line.ready
            self._line, self._failures = line, 0
            self.connections += 1
            logger.info("connected to the broker at %s:%d for reports", address.host, address.port)
            await line.tend()
        finally:
            self._line = None
            if not line.ended.done():
                line.transport.write(wire.FAREWELL)
            line.transport.close()

    async def _opened(self, address: BrokerAddress) -> _Line:
        assert self._received is not None, "somebody listens"
        received = self._received
        welcome = wire.connect(
            self._identifier, keep_alive_s=KEEP_ALIVE_S, username=address.username, password=address.password
        )
        context = (address.context or ssl.create_default_context()) if address.tls else None
        async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
            _, line = await asyncio.get_running_loop().create_connection(
                lambda: _Line(welcome, self._topics, received), address.host, address.port, ssl=context
            )
        return line
