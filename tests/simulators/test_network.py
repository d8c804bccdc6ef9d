"""The bad network: what it does to real connections."""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from simulators.bad_line import Direction
from simulators.captive_portal import CaptivePortal, Manner
from simulators.network import Network

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that answers with what it hears, through a network."""

    def __init__(self) -> None:
        self.network = Network()
        self.port = 0
        self.opened: list[asyncio.StreamWriter] = []

    async def connect(self) -> Streams:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.opened.append(writer)
        return reader, writer

    async def ask(self, streams: Streams, data: bytes) -> bytes:
        reader, writer = streams
        writer.write(data)
        async with asyncio.timeout(5):
            return await reader.readexactly(len(data))


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
        writer.write(b"end")
        writer.close()
    except OSError:
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    echo = Echo()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    echo.port = await echo.network.open("127.0.0.1", server.sockets[0].getsockname()[1])
    yield echo
    for writer in echo.opened:
        writer.close()
    await echo.network.close()
    server.close()
    await server.wait_closed()


async def broken(streams: Streams) -> bool:
    reader, _ = streams
    try:
        async with asyncio.timeout(5):
            return await reader.read(1) == b""
    except ConnectionResetError:
        return True


async def stalled(echo: Echo, streams: Streams) -> bool:
    with pytest.raises(TimeoutError):
        streams[1].write(b"x")
        async with asyncio.timeout(0.1):
            await streams[0].readexactly(1)
    return True


async def test_bytes_pass_unchanged(echo: Echo) -> None:
    data = bytes(range(256)) * 2000
    assert await echo.ask(await echo.connect(), data) == data


async def test_latency_counts_both_ways(echo: Echo) -> None:
    echo.network.latency_ms = 30
    streams = await echo.connect()
    began = time.monotonic()
    await echo.ask(streams, b"x")
    assert time.monotonic() - began >= 0.06


async def test_bandwidth_is_held(echo: Echo) -> None:
    echo.network.bytes_per_s = 1_000_000
    streams = await echo.connect()
    began = time.monotonic()
    await echo.ask(streams, bytes(100_000))
    assert time.monotonic() - began >= 0.1


async def test_cut_breaks_what_is_open(echo: Echo) -> None:
    streams = await echo.connect()
    await echo.ask(streams, b"x")
    echo.network.cut()
    assert await broken(streams)


async def test_cut_refuses_what_is_new(echo: Echo) -> None:
    echo.network.cut()
    try:
        streams = await echo.connect()
    except ConnectionResetError:
        return
    assert await broken(streams)


async def test_half_open_says_nothing(echo: Echo) -> None:
    streams = await echo.connect()
    await echo.ask(streams, b"x")
    echo.network.half_open()
    assert await stalled(echo, streams)
    assert await stalled(echo, await echo.connect())


async def test_restored_network_serves_new_connections(echo: Echo) -> None:
    echo.network.cut()
    echo.network.restore()
    assert await echo.ask(await echo.connect(), b"again") == b"again"


async def test_restored_network_forgets_half_open_ones(echo: Echo) -> None:
    streams = await echo.connect()
    await echo.ask(streams, b"x")
    echo.network.half_open()
    echo.network.restore()
    assert await broken(streams)


async def test_end_of_one_direction_is_passed_on(echo: Echo) -> None:
    reader, writer = await echo.connect()
    writer.write_eof()
    assert await reader.read() == b"end"


async def test_jitter_keeps_the_order(echo: Echo) -> None:
    echo.network.jitter_ms, echo.network.chance = 20, random.Random(1)
    streams = await echo.connect()
    for number in range(20):
        streams[1].write(bytes([number]))
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert await streams[0].readexactly(20) == bytes(range(20))


async def test_lost_segments_are_stalls(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.bad_line._RETRANSMISSION_S", 0.05)
    echo.network.loss, echo.network.chance = 0.5, random.Random(3)
    streams = await echo.connect()
    began = time.monotonic()
    await echo.ask(streams, bytes(2000))
    assert time.monotonic() - began >= 0.05


async def test_all_segments_lost_is_a_reset(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.bad_line._RETRANSMISSION_S", 0.001)
    echo.network.loss = 1.0
    streams = await echo.connect()
    streams[1].write(b"x")
    assert await broken(streams)


async def test_width_is_shared_by_all_connections(echo: Echo) -> None:
    echo.network.bytes_per_s = 400_000
    pair = [await echo.connect(), await echo.connect()]
    began = time.monotonic()
    await asyncio.gather(*(echo.ask(streams, bytes(40_000)) for streams in pair))
    assert time.monotonic() - began >= 0.2


async def test_small_message_passes_a_large_one(echo: Echo) -> None:
    """Of two connections, as it should be; what a deep queue of the operator makes of it needs a real line."""
    echo.network.bytes_per_s = 100_000
    bulk, urgent = await echo.connect(), await echo.connect()
    bulk[1].write(bytes(500_000))
    await asyncio.sleep(0.05)
    await echo.ask(urgent, b"alert")
    assert echo.network.through(Direction.DOWN) < 400_000


async def test_drip_gives_byte_after_byte(echo: Echo) -> None:
    echo.network.drip_s = 0.01
    streams = await echo.connect()
    began = time.monotonic()
    assert await echo.ask(streams, b"slowly") == b"slowly"
    assert time.monotonic() - began >= 0.06


async def test_reset_comes_in_the_middle_of_a_message(echo: Echo) -> None:
    echo.network.reset_after_bytes = 5000
    streams = await echo.connect()
    streams[1].write(bytes(20_000))
    got = b""
    with pytest.raises(ConnectionResetError):
        async with asyncio.timeout(5):
            while data := await streams[0].read(65_536):
                got += data
            raise ConnectionResetError
    assert len(got) <= 5000
    assert echo.network.connections()[0].bytes_through[Direction.DOWN] == 5000


@pytest.mark.parametrize("lost", list(Direction))
async def test_one_way_says_nothing_and_heals(echo: Echo, lost: Direction) -> None:
    streams = await echo.connect()
    await echo.ask(streams, b"x")
    before = echo.network.through(Direction.UP)
    echo.network.one_way(lost)
    assert await stalled(echo, streams)
    assert (echo.network.through(Direction.UP) > before) is (lost is Direction.DOWN)
    echo.network.heal()
    async with asyncio.timeout(5):
        assert await streams[0].readexactly(1) == b"x"


async def test_count_knows_who_left(echo: Echo) -> None:
    streams = await echo.connect()
    await echo.ask(streams, bytes(1000))
    echo.network.half_open()
    streams[1].close()
    (connection,) = echo.network.connections()
    async with asyncio.timeout(5):
        while not connection.device_left:
            await asyncio.sleep(0.01)
    assert connection.bytes_through == {Direction.UP: 1000, Direction.DOWN: 1000}


@pytest.mark.parametrize("manner", list(Manner))
async def test_portal_answers_everything_with_its_page(echo: Echo, manner: Manner, tmp_path: Path) -> None:
    open_before = await echo.connect()
    async with CaptivePortal(tmp_path) as portal:
        portal.manner = manner
        echo.network.capture(portal.port)
        assert await broken(open_before)
        reader, writer = await echo.connect()
        writer.write(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")
        async with asyncio.timeout(5):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 " + manner.value.encode()) and b"pay to go on" in answer
        assert portal.asked[0][:1] == b"\x10"
        context = ssl.create_default_context()
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"https://127.0.0.1:{echo.port}/", ssl=context)
        assert portal.handshakes == 1 and len(portal.asked) == 1
    echo.network.restore()
    assert await echo.ask(await echo.connect(), b"again") == b"again"
