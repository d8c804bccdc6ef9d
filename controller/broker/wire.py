"""MQTT 3.1.1 packets as bytes, no more of it than hearing reports needs (OASIS standard, sections 2 and 3).

Pure: bytes in, packets out. What is longer than it may be is cut off one byte above that, enough to be refused by
name, and the rest of it is passed over without being kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

CONNACK: Final = 0x20
PUBLISH: Final = 0x30
SUBACK: Final = 0x90
PINGRESP: Final = 0xD0
PING: Final = b"\xc0\x00"
FAREWELL: Final = b"\xe0\x00"
REFUSED: Final = 0x80
_CONNECT: Final = 0x10
_PUBACK: Final = b"\x40\x02"
_SUBSCRIBE: Final = 0x82
_RETAIN: Final = 0x01
_NAMED: Final = 0x80
_SECRET: Final = 0x40
_SIZE_DIGITS_MAX: Final = 4
_TOPIC_BYTES_MAX: Final = 65_535


class WireError(ValueError):
    """The other side sends what is no MQTT."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its first byte, and its body as far as it is kept."""

    head: int
    body: bytes

    @property
    def kind(self) -> int:
        """Its type, as the constants above."""
        return self.head & 0xF0


@dataclass(frozen=True, slots=True)
class Message:
    """A publish that came.

    Attributes:
        number: for the acknowledgement; None with QoS 0, which wants none.
    """

    topic: str
    payload: bytes
    retained: bool
    number: bytes | None


class Packets:
    """Cuts a stream into packets.

    Args:
        payload_bytes_max: of a publish; one byte more is kept.
    """

    def __init__(self, payload_bytes_max: int) -> None:
        self._payload_bytes_max = payload_bytes_max
        self._kept_max = payload_bytes_max + 1 + 4 + _TOPIC_BYTES_MAX
        self._rest = b""
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that are complete with these bytes. Raises WireError."""
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        data, begin = self._rest + data, 0
        while (found := _size(data, begin)) is not None:
            at, size = found
            kept = min(size, self._kept_max)
            if len(data) < at + kept:
                break
            yield Packet(data[begin], data[at : at + kept])
            over = min(size - kept, len(data) - at - kept)
            self._skip, begin = size - kept - over, at + kept + over
        self._rest = data[begin:]

    def message(self, packet: Packet) -> Message:
        """What a publish says. Raises WireError."""
        body, qos = packet.body, packet.head >> 1 & 3
        if len(body) < 2 or qos > 1:
            raise WireError("a publish that was not asked for")
        at = 2 + int.from_bytes(body[:2], "big")
        begin = at + 2 * qos
        if len(body) < begin:
            raise WireError("a publish that ends in its head")
        try:
            topic = body[2:at].decode()
        except UnicodeDecodeError as error:
            raise WireError("a topic that is no text") from error
        payload = body[begin : begin + self._payload_bytes_max + 1]
        return Message(topic, payload, bool(packet.head & _RETAIN), body[at:begin] if qos else None)


def _size(data: bytes, begin: int) -> tuple[int, int] | None:
    """Where the body begins and how long it is; None while that is not known."""
    size = 0
    for digit in range(_SIZE_DIGITS_MAX):
        at = begin + 1 + digit
        if at >= len(data):
            return None
        size |= (data[at] & 0x7F) << 7 * digit
        if not data[at] & 0x80:
            return at + 1, size
    raise WireError("a size without end")


def connect(identifier: str, *, keep_alive_s: int, username: str | None, password: str | None) -> bytes:
    """CONNECT with a session that the broker keeps while we are away."""
    flags = (_NAMED if username is not None else 0) | (_SECRET if password is not None else 0)
    words = [one for one in (identifier, username, password) if one is not None]
    head = _text("MQTT") + bytes([4, flags]) + keep_alive_s.to_bytes(2, "big")
    return _packet(_CONNECT, head + b"".join(_text(one) for one in words))


def subscribe(topics: Sequence[str]) -> bytes:
    """SUBSCRIBE with QoS 1."""
    return _packet(_SUBSCRIBE, b"\x00\x01" + b"".join(_text(topic) + b"\x01" for topic in topics))


def publish(topic: str, payload: bytes) -> bytes:
    """PUBLISH with QoS 0."""
    return _packet(PUBLISH, _text(topic) + payload)


def acknowledge(number: bytes) -> bytes:
    """PUBACK."""
    return _PUBACK + number


def _text(value: str) -> bytes:
    data = value.encode()
    return len(data).to_bytes(2, "big") + data


def _packet(head: int, body: bytes) -> bytes:
    left, size = len(body), bytearray()
    while True:
        left, digit = divmod(left, 128)
        size.append(digit | (0x80 if left else 0))
        if not left:
            return bytes([head]) + bytes(size) + body
