"""Reports through a bad network to a real broker: every one arrives, and a second copy only where the line broke."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from edge.adapters.mqtt_link import Broker, MqttLink
from edge.adapters.outbox import SqliteOutbox
from edge.backoff import Backoff
from edge.core.events import LinkChanged
from edge.disk import Disk
from edge.reporter import Reporter
from protocol import codec
from protocol.clock import WallMs
from protocol.report import AsRun, EndReason
from simulators.network import Network
from tests.contracts import broker as brokers

pytestmark = pytest.mark.slow
_IN_FLIGHT = 8
_REPORTS = 60


def as_run(number: int) -> AsRun:
    return AsRun(str(number), "dev-c07", 6, "a" * 64, WallMs(1), WallMs(2), EndReason.COMPLETE, -2000)


class Device:
    """The way up of one device."""

    def __init__(self, port: int, directory: Path) -> None:
        broker = Broker("127.0.0.1", port, "dev-c07", "secret", keepalive_s=2, timeout_s=2.0)
        self.link = MqttLink(broker, brokers.PLACE, backoff=Backoff(low_s=0.05, high_s=0.2))
        self.outbox = SqliteOutbox(directory / "outbox.db")
        self.reporter = Reporter("dev-c07", self.link, outbox=self.outbox, disk=Disk(None))
        self.tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self.reporter.run())]

    async def _listen(self) -> None:
        async for event in self.link.events():
            if isinstance(event, LinkChanged):
                self.reporter.link_changed(event.up)

    async def power_off(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.outbox.close()


class Archive:
    """Counts what the controller receives."""

    def __init__(self) -> None:
        self.ids: Counter[str] = Counter()
        self.came = asyncio.Condition()

    async def listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            async with self.came:
                self.ids[codec.decode(AsRun, message.payload, bytes_max=10_000).id] += 1
                self.came.notify_all()

    async def wait_different(self, count: int) -> None:
        async with asyncio.timeout(20), self.came:
            await self.came.wait_for(lambda: len(self.ids) >= count)


@pytest.fixture(params=brokers.PLAIN)
async def port(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[int]:
    async with brokers.running(request.param, tmp_path) as broker:
        yield broker.port


@pytest.fixture
async def archive(port: int) -> AsyncIterator[Archive]:
    archive = Archive()
    async with aiomqtt.Client("127.0.0.1", port, identifier="controller") as client:
        await client.subscribe("loalang/v1/d/+/up/as_run", qos=1)
        listening = asyncio.create_task(archive.listen(client))
        yield archive
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_each_report_once_over_a_good_line(port: int, archive: Archive, tmp_path: Path) -> None:
    device = Device(port, tmp_path)
    await device.reporter.publish([as_run(number) for number in range(_REPORTS)])
    await archive.wait_different(_REPORTS)
    await device.power_off()
    assert set(archive.ids.values()) == {1}


async def test_reports_arrive_through_cuts(port: int, archive: Archive, tmp_path: Path) -> None:
    network = Network(latency_ms=5)
    device = Device(await network.open("127.0.0.1", port), tmp_path)
    await device.reporter.publish([as_run(number) for number in range(_REPORTS)])
    for sent in (5, 20, 40):
        await archive.wait_different(sent)
        network.cut()
        network.restore()
    await archive.wait_different(_REPORTS)
    assert sum(archive.ids.values()) <= _REPORTS + 3 * _IN_FLIGHT
    await device.power_off()
    await network.close()


async def test_reports_survive_a_power_cut(port: int, archive: Archive, tmp_path: Path) -> None:
    away = Device(1, tmp_path)
    await away.reporter.publish([as_run(number) for number in range(_REPORTS)])
    await away.power_off()
    device = Device(port, tmp_path)
    await archive.wait_different(_REPORTS)
    await device.power_off()
    assert set(archive.ids.values()) == {1}
