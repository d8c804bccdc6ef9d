"""A broker that belongs to the attacker: speaks just enough MQTT 3.1.1 that a device trusts its line, and then lies.

It checks nothing, keeps no promise, and sends whatever bytes it is told, to any topic, well formed or not.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_CONNECT, _PUBLISH, _PUBACK, _SUBSCRIBE, _UNSUBSCRIBE, _PINGREQ = 1, 3, 4, 8, 10, 12
_CONNACK: Final = b"\x20\x02\x01\x00"
_LENGTH_BYTES_MAX: Final = 4
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What a device published."""

    topic: str
    payload: bytes


def remaining_length(count: int) -> bytes:
    """MQTT's variable length."""
    made = bytearray()
    while True:
        count, low = divmod(count, 128)
        made.append(low | (0x80 if count else 0))
        if not count:
            return bytes(made)


def publish_packet(
    topic: bytes | str, payload: bytes, *, qos: int = 1, packet_id: int = 1, retain: bool = False
) -> bytes:
    """A PUBLISH packet, also one that no honest broker would make."""
    name = topic.encode() if isinstance(topic, str) else topic
    body = len(name).to_bytes(2, "big") + name + (packet_id.to_bytes(2, "big") if qos else b"") + payload
    return bytes([_PUBLISH << 4 | qos << 1 | retain]) + remaining_length(len(body)) + body


class AttackerBroker:
    """Listens on a free port of 127.0.0.1.

    Attributes:
        retained: sent after every subscription, whatever was subscribed to.
        said: everything that devices published.
        acknowledged: packet ids that devices have acknowledged.
        connections: how many connections were ever welcomed.
        refusing: new connections are hung up on.
        greeting: done for every line that has subscribed.
        reply: what is said back to a device that published something: topic and payload, or None.
    """

    def __init__(self) -> None:
        self.port = 0
        self.retained: list[tuple[str, bytes]] = []
        self.said: list[Said] = []
        self.acknowledged: set[int] = set()
        self.connections = 0
        self.refusing = False
        self.greeting: Callable[[asyncio.StreamWriter], None] = lambda _: None
        self.reply: Callable[[Said], tuple[str, bytes] | None] = lambda _: None
        self._lines: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._packet_id = 0
        self.heard = asyncio.Condition()

    async def open(self) -> None:
        """Starts listening; the port stays the same for its whole life."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Hangs up on everybody."""
        if self._server is not None:
            self._server.close()
        self.hang_up()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hang_up(self) -> None:
        """Ends every line, as a broker does when somebody else comes with the same client id."""
        for line in self._lines:
            line.transport.abort()
        self._lines.clear()

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int:
        """Sends a message to every device; the packet id by which its acknowledgement is known."""
        self._packet_id = self._packet_id % 65_535 + 1
        self.send_raw(publish_packet(topic, payload, qos=qos, packet_id=self._packet_id, retain=retain))
        return self._packet_id

    def send_raw(self, data: bytes) -> None:
        """Sends bytes down every line."""
        for line in self._lines:
            line.write(data)

    @property
    def lines(self) -> int:
        """How many devices are on the line now."""
        return len(self._lines)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refusing:
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                _acknowledge_at_once(writer)
                head = (await reader.readexactly(1))[0]
                body = await reader.readexactly(await _length(reader))
                await self._take(head, body, writer)
        except (asyncio.IncompleteReadError, OSError) as error:
            _log.debug("a line ended: %s", error)
        finally:
            if writer in self._lines:
                self._lines.remove(writer)
            writer.transport.abort()

    async def _take(self, head: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        kind = head >> 4
        if kind == _CONNECT:
            writer.write(_CONNACK)
            self.connections += 1
        elif kind == _SUBSCRIBE:
            writer.write(
                b"\x90" + remaining_length(2 + _subscriptions(body)) + body[:2] + b"\1" * _subscriptions(body)
            )
            self._lines.append(writer)
            self._greet(writer)
        elif kind == _UNSUBSCRIBE:
            writer.write(b"\xb0\x02" + body[:2])
        elif kind == _PUBLISH:
            await self._hear(head, body, writer)
        elif kind == _PUBACK:
            self.acknowledged.add(int.from_bytes(body[:2], "big"))
        elif kind == _PINGREQ:
            writer.write(b"\xd0\x00")

    def _greet(self, writer: asyncio.StreamWriter) -> None:
        for topic, payload in self.retained:
            self._packet_id = self._packet_id % 65_535 + 1
            writer.write(publish_packet(topic, payload, packet_id=self._packet_id, retain=True))
        self.greeting(writer)

    async def _hear(self, head: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        end = 2 + int.from_bytes(body[:2], "big")
        begin = end + 2 if head & 0x06 else end
        if head & 0x06:
            writer.write(b"\x40\x02" + body[end:begin])
        said = Said(body[2:end].decode(), body[begin:])
        reply = self.reply(said)
        if reply is not None:
            writer.write(publish_packet(*reply, qos=0))
        async with self.heard:
            self.said.append(said)
            self.heard.notify_all()


def _acknowledge_at_once(writer: asyncio.StreamWriter) -> None:
    """The kernel would wait 40 ms with its TCP acknowledgement, and the device's next small packet with it."""
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _subscriptions(body: bytes) -> int:
    count, at = 0, 2
    while at < len(body):
        at += 2 + int.from_bytes(body[at : at + 2], "big") + 1
        count += 1
    return count


async def _length(reader: asyncio.StreamReader) -> int:
    total = 0
    for place in range(_LENGTH_BYTES_MAX):
        byte = (await reader.readexactly(1))[0]
        total += (byte & 127) << 7 * place
        if not byte & 128:
            break
    return total
