"""The controller as a client of a real mosquitto: nothing is lost while one of the two is away."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from controller.broker.address import BrokerAddress, broker_address
from controller.broker.publisher import MqttPublisher
from controller.keys import PUBLISHER
from controller.ports import BrokerAwayError
from tests.component import need
from tests.controller.running import run_controller

pytestmark = pytest.mark.slow

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
DOC, ALERT = "loalang/v1/u/vn/92/doc", "loalang/v1/u/vn/92/alert"
RECEIPT = "loalang/v1/d/c1/up/receipt"


@pytest.fixture(autouse=True)
def mosquitto_is_there() -> None:
    need(PROGRAM is not None, "mosquitto")


@asynccontextmanager
async def mosquitto(directory: Path, port: int) -> AsyncIterator[None]:
    """Runs the broker until the block ends."""
    settings = directory / "mosquitto.conf"
    settings.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
        f"persistence_location {directory}/\nautosave_interval 1\nuser root\n"
    )
    process = await asyncio.create_subprocess_exec(
        str(PROGRAM), "-c", str(settings), stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await reachable(port)
        yield
    finally:
        process.terminate()
        await process.wait()


async def reachable(port: int) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Heard:
    """What came up."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def __call__(self, topic: str, payload: bytes, retained: bool) -> None:
        self.payloads.append(payload)


@asynccontextmanager
async def running(publisher: MqttPublisher, port: int) -> AsyncIterator[None]:
    task = asyncio.create_task(publisher.run(BrokerAddress("127.0.0.1", port)))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def wait_for(holds: object) -> None:
    async with asyncio.timeout(5):
        while not holds():  # type: ignore[operator]
            await asyncio.sleep(0.02)


async def test_publishes_and_hears(tmp_path: Path, port: int) -> None:
    heard = Heard()
    publisher = MqttPublisher("controller.test", received=heard)
    async with mosquitto(tmp_path, port), running(publisher, port):
        await wait_for(lambda: publisher.connected and publisher.listening)
        await publisher.publish(DOC, b"parcel", retain=True)
        async with aiomqtt.Client("127.0.0.1", port, identifier="c1") as device:
            await device.subscribe([(DOC, 1), (ALERT, 1)])
            await publisher.publish(ALERT, b"storm")
            async with asyncio.timeout(3):
                arrived = {bytes((await anext(device.messages)).payload) for _ in range(2)}
            assert arrived == {b"parcel", b"storm"}
            await device.publish(RECEIPT, b"received", qos=1)
            await wait_for(lambda: heard.payloads == [b"received"])


async def test_broker_away_is_told_and_comes_back(tmp_path: Path, port: int) -> None:
    publisher, returned = MqttPublisher("controller.test", received=Heard()), []

    async def told() -> None:
        returned.append(publisher.connected)

    publisher.when_connected(told)
    async with running(publisher, port):
        with pytest.raises(BrokerAwayError):
            await publisher.publish(DOC, b"parcel", retain=True)
        for times in (1, 2):
            async with mosquitto(tmp_path, port):
                await wait_for(lambda times=times: len(returned) == times)
                await publisher.publish(DOC, b"parcel", retain=True)
            await wait_for(lambda: not publisher.connected)
    assert returned == [True, True]


async def test_reports_wait_while_controller_is_away(tmp_path: Path, port: int) -> None:
    heard = Heard()
    async with mosquitto(tmp_path, port):
        first = MqttPublisher("controller.test", received=heard)
        async with running(first, port):
            await wait_for(lambda: first.listening)
        async with aiomqtt.Client("127.0.0.1", port, identifier="c1") as device:
            await device.publish(RECEIPT, b"while you were away", qos=1)
        async with running(MqttPublisher("controller.test", received=heard), port):
            await wait_for(lambda: heard.payloads == [b"while you were away"])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("mqtt://127.0.0.1:1884", BrokerAddress("127.0.0.1", 1884)),
        ("broker.example", BrokerAddress("broker.example", 1883)),
        ("mqtts://me:p%40ss@b", BrokerAddress("b", 8883, "me", "p@ss", tls=True)),
    ],
)
def test_address_is_read(text: str, wanted: BrokerAddress) -> None:
    assert broker_address(text) == wanted
    assert "p@ss" not in repr(wanted)


@pytest.mark.parametrize("text", ["http://b", "mqtt://", "mqtt://b:port"])
def test_wrong_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        broker_address(text)


async def test_home_says_that_the_broker_is_away(filled: Path, tmp_path: Path, port: int) -> None:
    shutil.copytree(filled, tmp_path / "data")
    capabilities = ("web", "people", "units", "audit", "broker", "signing", "bulletins", "schedules")
    outside = f"mqtt://127.0.0.1:{port}"
    async with run_controller(tmp_path / "data", capabilities=capabilities, broker=outside) as controller:
        author = await controller.person("ke-sach")
        assert "Máy chủ chuyển tin đang mất liên lạc" in await author.see("/")
        async with mosquitto(tmp_path, port):
            await wait_for(lambda: controller.app[PUBLISHER].connected)
            assert "Máy chủ chuyển tin đang mất liên lạc" not in await author.see("/")
