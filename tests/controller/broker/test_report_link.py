"""The connection for reports, against brokers that behave badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from controller.broker import report_link
from controller.broker.address import BrokerAddress
from controller.broker.report_link import ReportLink
from controller.ports import BrokerAwayError
from simulators.bench.bare_subscriber import packet, text

TOPIC = "loalang/v1/d/dev-1/up/status"
WELCOME = b"\x20\x02\x00\x00"
GRANTED = b"\x90\x03\x00\x01\x01"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def linked(talk: Talk, heard: list[bytes]) -> AsyncIterator[ReportLink]:
    """A link to a broker that talks like this."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    link = ReportLink("me", topics=("loalang/v1/d/+/up/#",), received=lambda _, payload, __: heard.append(payload))
    task = asyncio.create_task(link.run(BrokerAddress("127.0.0.1", port)))
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.close()
        await server.wait_closed()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(2)
    writer.write(WELCOME + GRANTED)


async def test_hundreds_at_once_are_acknowledged_after_they_were_taken() -> None:
    heard: list[bytes] = []
    acknowledged = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        sent = [packet(0x32, text(TOPIC) + number.to_bytes(2, "big") + b"%d" % number) for number in range(1, 301)]
        writer.write(b"".join(sent))
        wanted, came = b"\x40\x02\x01\x2c", b""
        while wanted not in came:
            came += await reader.read(4096)
        acknowledged.set()
        await reader.read()

    async with linked(talk, heard) as link:
        async with asyncio.timeout(10):
            await acknowledged.wait()
        assert heard == [b"%d" % number for number in range(1, 301)]
        assert link.up


@pytest.mark.slow
@pytest.mark.parametrize("welcome", [b"\x20\x02\x00\x05", WELCOME + b"\x90\x03\x00\x01\x80", b"\x00\xff\xff\xff\xff"])
async def test_refusal_and_rubbish_never_count_as_connected(welcome: bytes) -> None:
    tries: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tries.append(1)
        writer.write(welcome)
        await reader.read()

    async with linked(talk, []) as link:
        await until(lambda: len(tries) >= 2)
        assert not link.up
        assert link.connections == 0
        with pytest.raises(BrokerAwayError):
            await link.publish("a", b"x", qos=0)


@pytest.mark.slow
async def test_silent_broker_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_link, "_LOOK_S", 0.05)
    monkeypatch.setattr(report_link, "_SILENT_S_MAX", 0.1)
    tries: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tries.append(1)
        await greet(reader, writer)
        await reader.read()

    async with linked(talk, []) as link:
        await until(lambda: len(tries) >= 2)
        await until(lambda: link.connections >= 2)


async def test_word_that_may_get_lost_goes_out() -> None:
    came: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await greet(reader, writer)
        while data := await reader.read(4096):
            came.append(data)

    async with linked(talk, []) as link:
        await until(lambda: link.up)
        await link.publish("a/b", b"stored", qos=0)
        await until(lambda: packet(0x30, text("a/b") + b"stored") in b"".join(came))
