"""A broker and a controller in foreign hands: they may send a device anything, and it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from random import Random

import pytest

from edge.adapters.http_fetch import HttpFetcher
from edge.adapters.mqtt_link import Broker, MqttLink
from edge.backoff import Backoff
from edge.core.events import EnvelopeReceived, LinkChanged, Route
from edge.ports import FetchError
from protocol.topics import down_topics
from protocol.units import UnitPath
from tests.fuzz import material
from tests.fuzz.mutation import mutated
from tests.fuzz.raw_http import TYPES

pytestmark = pytest.mark.slow
PLACE = UnitPath(material.PLACE)
CONNECTIONS = 40
ANSWERS = 300
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    served: set[asyncio.Task[None]] = set()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.create_task(once(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


def packet(kind: int, body: bytes) -> bytes:
    """An MQTT packet: kind, length in up to four bytes, body."""
    length, made = len(body), bytearray([kind])
    while True:
        made.append(length % 128 | (128 if length > 127 else 0))
        length //= 128
        if not length:
            return bytes(made) + body


def publish(topic: str, payload: bytes) -> bytes:
    name = topic.encode()
    return packet(0x32, struct.pack(">H", len(name)) + name + b"\0\7" + payload)


async def read_packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(2)
    length, shift = head[1] & 127, 7
    last = head[1]
    while last & 128:
        last = (await reader.readexactly(1))[0]
        length, shift = length | (last & 127) << shift, shift + 7
    return head[:1] + await reader.readexactly(length)


class BadBroker:
    """Sends odd packets on its first connections, and an alert as it should be on the last."""

    def __init__(self) -> None:
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        random, whole = Random(self.connections), self.connections > CONNECTIONS
        await read_packet(reader)
        welcome = b"\x20\x02\x00\x00"
        writer.write(welcome if whole or random.random() < 0.8 else mutated(welcome, random))
        asked = await read_packet(reader)
        granted = b"\1" * (len(down_topics(PLACE)) + 1)  # and its own reports
        taken = packet(0x90, asked[1:3] + granted)
        writer.write(taken if whole or random.random() < 0.9 else mutated(taken, random))
        if whole:  # the device says that it is there, and waits until it was heard
            said = await read_packet(reader)
            topic_bytes = int.from_bytes(said[1:3], "big")
            writer.write(packet(0x40, said[3 + topic_bytes : 5 + topic_bytes]))
        alert = publish("loalang/v1/u/vn/92/31498/alert", material.envelopes()[0])
        writer.write(alert if whole else mutated(alert, random) + random.randbytes(40))
        await writer.drain()
        if whole:
            await reader.read()


async def test_broker_that_sends_anything_is_left_and_found_again() -> None:
    broker = BadBroker()
    async with listening(broker.serve) as port:
        link = MqttLink(
            Broker("127.0.0.1", port, "c07", "t", timeout_s=0.15), PLACE, backoff=Backoff(low_s=0.01, high_s=0.02)
        )
        wanted = EnvelopeReceived(material.envelopes()[0], Route.ALERT)
        events = link.events()
        async with asyncio.timeout(60):
            async for event in events:
                if event == wanted and broker.connections > CONNECTIONS:
                    break
                assert isinstance(event, LinkChanged) or hasattr(event, "data")
        await events.aclose()  # type: ignore[attr-defined]


def odd_answer(random: Random) -> bytes:
    """An answer over HTTP with something odd in it."""
    body = mutated(random.choice((material.envelopes()[0], b'{"cursor":"c","parcels":[],"alerts":[]}')), random)
    headers = [b"Content-Type: " + random.choice(TYPES) + b"; charset=" + random.choice((b"utf-8", b"x"))]
    if random.random() < 0.3:
        headers.append(b"Content-Encoding: " + random.choice((b"gzip", b"deflate", b"br", b"zstd")))
    headers.append(random.choice((b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked", b"X: \xff")))
    head = b"HTTP/1.1 %d OK\r\n" % random.choice((200, 200, 200, 204, 206, 301, 401, 500, 999))
    data = head + b"\r\n".join(headers) + b"\r\n\r\n" + body
    return data if random.random() < 0.6 else mutated(data, random)


async def test_controller_that_answers_anything_is_asked_again() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        served += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(odd_answer(Random(served)))
        await writer.drain()

    served = 0
    async with listening(serve) as port:
        url = f"http://127.0.0.1:{port}"
        async with HttpFetcher(url, token="t", place=PLACE, idle_s=0.5, wait_s=0) as fetcher, asyncio.timeout(60):
            for _ in range(ANSWERS):
                with contextlib.suppress(FetchError):
                    await fetcher.attest(material.NONCE)
                with contextlib.suppress(FetchError):
                    answer = await fetcher._poll("")
                    assert answer is None or answer.cursor
    assert served >= ANSWERS


async def test_packed_answer_is_not_unpacked_on_a_device() -> None:
    packed = gzip.compress(bytes(64 * 1024 * 1024))[:8000]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
        )
        await writer.drain()

    async with (
        listening(serve) as port,
        HttpFetcher(f"http://127.0.0.1:{port}", token="t", place=PLACE) as fetcher,
    ):
        assert await fetcher.attest(material.NONCE) == packed
