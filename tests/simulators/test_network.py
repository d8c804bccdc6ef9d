"""The bad network: what it does to real connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

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
