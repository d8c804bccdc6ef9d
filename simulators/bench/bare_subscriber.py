"""The lightest MQTT 3.1.1 subscriber there is: connect, subscribe with QoS 1, acknowledge, and note the instant."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

_CONNACK: Final = 0x20
_PUBLISH: Final = 0x30
_SUBACK: Final = 0x90
_KEEP_ALIVE_S: Final = 600


def text(value: str) -> bytes:
    """A text behind its length in two bytes."""
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def packet(head: int, body: bytes) -> bytes:
    """A packet with its remaining length."""
    left, size = len(body), bytearray()
    while True:
        left, digit = divmod(left, 128)
        size.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([head]) + bytes(size) + body


def connect(client: str) -> bytes:
    """CONNECT with a clean session."""
    return packet(0x10, text("MQTT") + b"\x04\x02" + _KEEP_ALIVE_S.to_bytes(2, "big") + text(client))


class BareSubscriber(asyncio.Protocol):
    """One subscriber of one topic.

    Args:
        ready: called when the subscription stands.
        received: called with the monotonic nanoseconds at which a message was complete.
        body: called with each message's payload.
    """

    def __init__(
        self,
        client: str,
        topic: str,
        *,
        ready: Callable[[], None],
        received: Callable[[int], None],
        body: Callable[[bytes], None] | None = None,
    ) -> None:
        self._client, self._topic, self._ready, self._received = client, topic, ready, received
        self._body = body
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        assert isinstance(transport, asyncio.Transport), "a TCP connection"
        self._transport = transport
        transport.write(connect(self._client))

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        data, begin = self._buffer + data, 0
        while (found := _split(data, begin)) is not None:
            head, body, begin = found
            self._take(head & 0xF0, head, body)
        self._buffer = data[begin:]

    def _take(self, kind: int, head: int, body: bytes) -> None:
        if kind == _CONNACK:
            self._transport.write(packet(0x82, b"\x00\x01" + text(self._topic) + b"\x01"))
        elif kind == _SUBACK:
            self._ready()
        elif kind == _PUBLISH:
            self._received(time.monotonic_ns())
            at = 2 + int.from_bytes(body[:2], "big")
            if head & 0x06:
                self._transport.write(b"\x40\x02" + body[at : at + 2])
                at += 2
            if self._body is not None:
                self._body(body[at:])


def _split(data: bytes, begin: int) -> tuple[int, bytes, int] | None:
    """Head, body and where the next one begins, or None while a packet is not complete."""
    size, shift, at = 0, 0, begin + 1
    while True:
        if at >= len(data):
            return None
        digit = data[at]
        size |= (digit & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not digit & 0x80:
            break
    if len(data) < at + size:
        return None
    return data[begin], data[at : at + size], at + size
