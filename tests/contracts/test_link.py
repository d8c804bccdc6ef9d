"""What every Link promises, tried on real brokers, and on the made-up one of the worlds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from edge.adapters.mqtt_link import Broker, MqttLink
from edge.backoff import Backoff
from edge.core.events import EnvelopeReceived, Event, LinkChanged, LiveSegmentReceived, ParcelReceived, Route
from edge.ports import PortError
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from protocol.topics import online_topic, unit_topic
from protocol.units import UnitPath
from simulators.network import Network
from simulators.world.broker import Broker as WorldBroker
from tests.contracts import broker as brokers
from tests.contracts import world_broker
from tests.contracts.broker import MOVED, PLACE, Running
from tests.contracts.world_broker import WorldClient, WorldNetwork, WorldRunning

COMMUNE = UnitPath("vn/92/31498")
ALERT = unit_topic(COMMUNE, "alert")
DOC = unit_topic(COMMUNE, "doc")
LIVE = unit_topic(COMMUNE, "live")

pytestmark = pytest.mark.slow


class Listener:
    """Takes a link's events one by one, as the runner does."""

    def __init__(self, link: MqttLink) -> None:
        self.link = link
        self.seen: list[Event] = []
        self._came = asyncio.Condition()
        self._go_on = asyncio.Event()
        self._go_on.set()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for event in self.link.events():
            async with self._came:
                self.seen.append(event)
                self._came.notify_all()
            await self._go_on.wait()

    def hold(self) -> None:
        """Takes the next event and does not come to an end with it."""
        self._go_on.clear()

    def go_on(self) -> None:
        self._go_on.set()

    async def wait_seen(self, event: Event, *, times: int = 1) -> None:
        async with asyncio.timeout(15), self._came:
            await self._came.wait_for(lambda: self.seen.count(event) >= times)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


Connect = Callable[..., Awaitable[Listener]]
AnyBroker = Running | WorldRunning
AnyNetwork = Network | WorldNetwork


@pytest.fixture(params=(*brokers.NAMES, *world_broker.NAMES))
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AnyBroker]:
    if request.param in world_broker.NAMES:
        yield WorldRunning(WorldBroker(inside=request.param.endswith("inside")))
        return
    async with brokers.running(request.param, tmp_path) as broker:
        yield broker


@pytest.fixture
async def network(broker: AnyBroker) -> AsyncIterator[AnyNetwork]:
    if isinstance(broker, WorldRunning):
        yield broker.network
        return
    network = Network()
    await network.open("127.0.0.1", broker.port)
    yield network
    await network.close()


def link_to(broker: AnyBroker, port: int | None, **options: Any) -> MqttLink:
    """Of the device, over a port of the network if one is given."""
    backoff = Backoff(low_s=0.05, high_s=0.2)
    if isinstance(broker, WorldRunning):
        return broker.link(backoff=backoff, **options)
    usual = {"keepalive_s": 10, "timeout_s": 5.0, "tls": broker.tls}
    token = "" if broker.tls else "secret"
    way = Broker("127.0.0.1", port or broker.port, "dev-c07", token, **{**usual, **options})
    return MqttLink(way, PLACE, backoff=backoff)


@pytest.fixture
async def connect(broker: AnyBroker) -> AsyncIterator[Connect]:
    listeners = []

    async def connect(at: int | None = None, **options: Any) -> Listener:
        listener = Listener(link_to(broker, at, **options))
        listeners.append(listener)
        await listener.wait_seen(LinkChanged(True))
        return listener

    yield connect
    for listener in listeners:
        await listener.close()


@contextlib.asynccontextmanager
async def controller(broker: AnyBroker) -> AsyncIterator[aiomqtt.Client | WorldClient]:
    if isinstance(broker, WorldRunning):
        await asyncio.sleep(0.02)  # as long as it takes a real one to connect
        inside = WorldClient(broker.broker)
        yield inside
        inside.connection.farewell()
        return
    async with aiomqtt.Client("127.0.0.1", broker.inside, identifier="controller") as client:
        yield client


async def wait_payload(client: aiomqtt.Client | WorldClient, payload: bytes) -> None:
    async with asyncio.timeout(5):
        async for message in client.messages:
            if message.payload == payload:
                return


async def port_of(network: AnyNetwork, broker: AnyBroker) -> int | None:
    if isinstance(broker, WorldRunning) or isinstance(network, WorldNetwork):
        return None
    return await network.open("127.0.0.1", broker.port)


async def test_each_topic_has_its_event(broker: AnyBroker, connect: Connect) -> None:
    listener = await connect()
    async with controller(broker) as client:
        await client.publish(DOC, b"parcel", qos=1)
        await client.publish(ALERT, b"alert", qos=1)
        await client.publish(LIVE, b"segment", qos=0)
    await listener.wait_seen(ParcelReceived(b"parcel", Route.DOC))
    await listener.wait_seen(EnvelopeReceived(b"alert", Route.ALERT))
    await listener.wait_seen(LiveSegmentReceived(b"segment"))


async def test_retained_parcel_awaits_the_device(broker: AnyBroker, connect: Connect) -> None:
    async with controller(broker) as client:
        await client.publish(DOC, b"in force", qos=1, retain=True)
    listener = await connect()
    await listener.wait_seen(ParcelReceived(b"in force", Route.DOC))


async def test_oversized_message_arrives_cut_off(broker: AnyBroker, connect: Connect) -> None:
    listener = await connect()
    async with controller(broker) as client:
        await client.publish(ALERT, bytes(ALERT_ENVELOPE_BYTES_MAX * 4), qos=1)
    await listener.wait_seen(EnvelopeReceived(bytes(ALERT_ENVELOPE_BYTES_MAX + 1), Route.ALERT))


async def test_publish_reaches_the_controller(broker: AnyBroker, connect: Connect) -> None:
    listener = await connect()
    async with controller(broker) as client:
        await client.subscribe("loalang/v1/d/+/up/#", qos=1)
        await listener.link.publish("loalang/v1/d/dev-c07/up/status", b"{}")
        topics = {}
        async with asyncio.timeout(5):
            async for message in client.messages:
                topics[message.topic.value] = message.payload
                if len(topics) == 2:
                    break
    assert topics == {"loalang/v1/d/dev-c07/up/status": b"{}", online_topic("dev-c07"): b"1"}


async def test_publish_without_link_fails(broker: AnyBroker) -> None:
    link = link_to(broker, None)
    with pytest.raises(PortError):
        await link.publish("loalang/v1/d/dev-c07/up/status", b"{}")


async def test_cut_link_comes_back(broker: AnyBroker, network: AnyNetwork, connect: Connect) -> None:
    listener = await connect(await port_of(network, broker))
    network.cut()
    await listener.wait_seen(LinkChanged(False))
    network.restore()
    await listener.wait_seen(LinkChanged(True), times=2)
    async with controller(broker) as client:
        await client.publish(ALERT, b"after", qos=1)
    await listener.wait_seen(EnvelopeReceived(b"after", Route.ALERT))


async def test_publish_under_way_fails_with_the_link(
    broker: AnyBroker, network: AnyNetwork, connect: Connect
) -> None:
    listener = await connect(await port_of(network, broker))
    network.half_open()
    sending = asyncio.create_task(listener.link.publish("loalang/v1/d/dev-c07/up/status", b"{}"))
    await asyncio.sleep(0)
    network.cut()
    with pytest.raises(PortError):
        async with asyncio.timeout(3):
            await sending


async def test_half_open_link_is_noticed(broker: AnyBroker, network: AnyNetwork, connect: Connect) -> None:
    listener = await connect(await port_of(network, broker), keepalive_s=1, timeout_s=1.0)
    network.half_open()
    began = asyncio.get_running_loop().time()
    await listener.wait_seen(LinkChanged(False))
    assert asyncio.get_running_loop().time() - began < 5
    network.restore()
    await listener.wait_seen(LinkChanged(True), times=2)


async def test_messages_wait_for_an_absent_device(broker: AnyBroker, network: AnyNetwork, connect: Connect) -> None:
    listener = await connect(await port_of(network, broker))
    async with controller(broker) as client:
        await client.subscribe(online_topic("dev-c07"), qos=1)
        network.cut()
        await wait_payload(client, b"0")
        await client.publish(ALERT, b"while away", qos=1)
    network.restore()
    await listener.wait_seen(EnvelopeReceived(b"while away", Route.ALERT))


async def test_week_of_parcels_does_not_wait_for_a_device(
    broker: AnyBroker, network: AnyNetwork, connect: Connect
) -> None:
    """The controller renews every parcel each hour: whoever was away needs the newest, and the emergency at once."""
    listener = await connect(await port_of(network, broker))
    async with controller(broker) as client:
        await client.subscribe(online_topic("dev-c07"), qos=1)
        network.cut()
        await wait_payload(client, b"0")
        for hour in range(300):
            await client.publish(DOC, b"hour %d" % hour, qos=1, retain=True)
            await client.publish(LIVE, b"live %d" % hour, qos=1)
        await client.publish(ALERT, b"while away", qos=1)
    network.restore()
    await listener.wait_seen(EnvelopeReceived(b"while away", Route.ALERT))
    await listener.wait_seen(ParcelReceived(b"hour 299", Route.DOC))
    assert len([one for one in listener.seen if isinstance(one, ParcelReceived | LiveSegmentReceived)]) == 1


async def test_offline_is_told_by_the_broker(broker: AnyBroker, connect: Connect) -> None:
    listener = await connect()
    async with controller(broker) as client:
        await client.subscribe(online_topic("dev-c07"), qos=1)
        await listener.close()
        await wait_payload(client, b"0")


async def test_undecided_alert_comes_again(broker: AnyBroker, connect: Connect) -> None:
    """The power fails after the alert arrived and before it was stored."""
    alert = EnvelopeReceived(b"alert", Route.ALERT)
    first = await connect()
    first.hold()
    async with controller(broker) as client:
        await client.publish(ALERT, alert.data, qos=1)
    await first.wait_seen(alert)
    await first.close()
    second = await connect()
    await second.wait_seen(alert)


async def test_alert_overtakes_documents(broker: AnyBroker, connect: Connect) -> None:
    listener = await connect()
    listener.hold()
    async with controller(broker) as client:
        for number in range(5):
            await client.publish(DOC, b"%d" % number, qos=1)
        await client.publish(ALERT, b"alert", qos=1)
    await listener.wait_seen(ParcelReceived(b"0", Route.DOC))
    await asyncio.sleep(0.1)
    listener.go_on()
    await listener.wait_seen(ParcelReceived(b"4", Route.DOC))
    assert listener.seen.index(EnvelopeReceived(b"alert", Route.ALERT)) < 4


async def test_moved_device_listens_there_and_no_longer_here(connect: Connect, broker: AnyBroker) -> None:
    listener = await connect()
    listener.link.relocate(MOVED)
    await listener.wait_seen(LinkChanged(True), times=2)
    async with controller(broker) as office:
        await office.publish(DOC, b"old commune", qos=1)
        await office.publish(unit_topic(UnitPath("vn/92/31507"), "doc"), b"new commune", qos=1)
        await office.publish(unit_topic(UnitPath("vn/92"), "doc"), b"province", qos=1)
        await listener.wait_seen(ParcelReceived(b"new commune", Route.DOC))
        await listener.wait_seen(ParcelReceived(b"province", Route.DOC))
    assert ParcelReceived(b"old commune", Route.DOC) not in listener.seen
    listener.link.relocate(MOVED)
    assert listener.seen.count(LinkChanged(False)) == 1
