"""The embedded broker as devices meet it."""

from __future__ import annotations

import asyncio
import struct

import aiomqtt
import pytest

from controller.broker.embedded import EmbeddedBroker
from tests.controller.broker.conftest import client_of

ALERT = "loalang/v1/u/vn/92/1/alert"
DOC = "loalang/v1/u/vn/92/1/doc"


async def next_message(client: aiomqtt.Client) -> tuple[str, bytes]:
    async with asyncio.timeout(2):
        message = await anext(client.messages)
    return message.topic.value, bytes(message.payload)


async def test_alert_reaches_every_device(broker: EmbeddedBroker) -> None:
    async with (
        client_of(broker, "c1") as one,
        client_of(broker, "c2") as two,
        client_of(broker, "controller.") as ours,
    ):
        await one.subscribe(ALERT, qos=1)
        await two.subscribe(ALERT, qos=1)
        await ours.publish(ALERT, b"storm", qos=1)
        assert await next_message(one) == (ALERT, b"storm")
        assert await next_message(two) == (ALERT, b"storm")


async def test_wrong_token_refused(broker: EmbeddedBroker) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with client_of(broker, "c1", password="guess"):
            pass


async def test_stranger_cannot_throw_device_off(broker: EmbeddedBroker) -> None:
    async with client_of(broker, "c1") as device, client_of(broker, "controller.") as ours:
        await device.subscribe(ALERT, qos=1)
        for clean in (True, False):
            with pytest.raises(aiomqtt.MqttError):
                async with client_of(broker, "c1", password="guess", clean=clean):
                    pass
        await ours.publish(ALERT, b"storm", qos=1)
        assert await next_message(device) == (ALERT, b"storm")


async def test_device_cannot_write_documents(broker: EmbeddedBroker) -> None:
    async with client_of(broker, "c1") as liar, client_of(broker, "c2") as device:
        await device.subscribe(ALERT, qos=1)
        await liar.publish(ALERT, b"false", qos=1)
        await liar.publish("loalang/v1/d/c2/up/status", b"false", qos=1)
        async with client_of(broker, "controller.") as ours:
            await ours.publish(ALERT, b"true", qos=1)
        assert await next_message(device) == (ALERT, b"true")


async def test_device_reads_only_its_ancestors(broker: EmbeddedBroker) -> None:
    async with client_of(broker, "c1") as device:
        answers = await device.subscribe(
            [("loalang/v1/u/vn/92/2/alert", 1), ("loalang/v1/d/c2/up/status", 1), ("#", 1), (ALERT, 1)]
        )
    assert [one if isinstance(one, int) else one.value for one in answers] == [0x80, 0x80, 0x80, 1]


async def test_retained_parcel_comes_once(broker: EmbeddedBroker) -> None:
    async with client_of(broker, "controller.") as ours:
        await ours.publish(DOC, b"parcel", qos=1, retain=True)
        await ours.publish("loalang/v1/u/vn/92/2/doc", b"of others", qos=1, retain=True)
        for _ in range(2):
            async with client_of(broker, "c1") as device:
                await device.subscribe([(DOC, 1), (ALERT, 1)])
                assert await next_message(device) == (DOC, b"parcel")
                await ours.publish(ALERT, b"last", qos=1)
                assert await next_message(device) == (ALERT, b"last")


async def test_alert_waits_for_absent_device(broker: EmbeddedBroker) -> None:
    async with client_of(broker, "c1") as device:
        await device.subscribe(ALERT, qos=1)
    async with client_of(broker, "controller.") as ours:
        await ours.publish(ALERT, b"storm", qos=1)
    async with client_of(broker, "c1") as device:
        assert await next_message(device) == (ALERT, b"storm")


async def test_alert_in_flight_survives_cut(broker: EmbeddedBroker) -> None:
    """A device whose network dies just before the alert hears it when it is back."""
    async with client_of(broker, "c1") as device:
        await device.subscribe(ALERT, qos=1)
    _reader, writer = await raw_connect(broker, "c1", b"one", keepalive=60)
    async with client_of(broker, "controller.") as ours:
        await ours.publish(ALERT, b"storm", qos=1)
    writer.transport.abort()
    async with client_of(broker, "c1") as device:
        assert await next_message(device) == (ALERT, b"storm")


async def test_device_back_before_cut_noticed(broker: EmbeddedBroker) -> None:
    """The second connection is the one that hears, whatever became of the first."""
    _reader, writer = await raw_connect(broker, "c1", b"one", keepalive=60)
    async with client_of(broker, "c1") as device, client_of(broker, "controller.") as ours:
        await device.subscribe(ALERT, qos=1)
        await ours.publish(ALERT, b"storm", qos=1)
        assert await next_message(device) == (ALERT, b"storm")
    writer.close()


@pytest.mark.slow
async def test_silent_connection_is_closed(broker: EmbeddedBroker) -> None:
    reader, writer = await raw_connect(broker, "c1", b"one", keepalive=1)
    async with asyncio.timeout(5):
        assert await reader.read(10) == b""
    writer.close()


async def test_huge_packet_ends_connection(broker: EmbeddedBroker) -> None:
    reader, writer = await raw_connect(broker, "c1", b"one", keepalive=60)
    writer.write(b"\x32\xff\xff\xff\x7f\x00\x05topic\x00\x01")
    async with asyncio.timeout(2):
        assert await reader.read(10) == b""
    writer.close()


async def test_garbage_ends_only_its_connection(broker: EmbeddedBroker) -> None:
    async with client_of(broker, "c1") as device:
        for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\x10\x00", b"\x10\x04\x00\xff\xff\xff", b"\xf0" * 50):
            reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
            writer.write(junk)
            writer.write_eof()
            async with asyncio.timeout(2):
                await reader.read(100)
            writer.close()
        assert await device.subscribe(ALERT, qos=1)


async def raw_connect(
    broker: EmbeddedBroker, name: str, password: bytes, *, keepalive: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connects and acknowledges nothing afterwards, like a device behind a dead link."""
    reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
    text = name.encode()
    fields = b"".join(struct.pack(">H", len(one)) + one for one in (text, text, password))
    body = b"\x00\x04MQTT\x04" + bytes([0b1100_0000]) + struct.pack(">H", keepalive) + fields
    writer.write(b"\x10" + bytes([len(body)]) + body)
    async with asyncio.timeout(2):
        answer = await reader.readexactly(4)
    assert answer[3] == 0
    return reader, writer
