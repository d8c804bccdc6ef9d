"""mosquitto set up as it is described: a device is who its certificate says, and a revoked one is nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from controller.broker.address import BrokerAddress
from controller.broker.publisher import MqttPublisher
from controller.broker.tls import client_context
from edge.adapters import tls
from tests.component import need
from tests.contracts.broker import MOSQUITTO, free_port, mosquitto, tls_listener
from tests.contracts.papers import Authority, Papers, authority
from tests.controller.devices.pretend import until

ALERT = "loalang/v1/u/vn/92/alert"
RIGHTS = """user controller.loalang.internal
topic readwrite loalang/v1/#
pattern write loalang/v1/d/%u/up/#
pattern read loalang/v1/d/%u/stored
pattern read loalang/v1/u/#
"""

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def mosquitto_is_there() -> None:
    need(MOSQUITTO is not None, "mosquitto")


@asynccontextmanager
async def broker(directory: Path, province: Authority, *revoked: Papers) -> AsyncIterator[tuple[int, int]]:
    """Ports for devices and for the controller."""
    for_devices, for_us = free_port(), free_port()
    (directory / "acl").write_text(RIGHTS)
    (directory / "crl").write_bytes(province.ca.revocation_list([one.certificate.read_bytes() for one in revoked]))
    more = (f"crlfile {directory}/crl", f"acl_file {directory}/acl")
    ours = tls_listener(for_us, province.server, *more).replace("use_username_as_clientid true\n", "")
    settings = "per_listener_settings true\nuser root\n" + tls_listener(for_devices, province.server, *more) + ours
    async with mosquitto(directory, settings, port=for_us):
        yield for_devices, for_us


@asynccontextmanager
async def controller(port: int, province: Authority, heard: list[bytes]) -> AsyncIterator[MqttPublisher]:
    publisher = MqttPublisher("loalang.controller", received=lambda topic, payload, retained: heard.append(payload))
    address = BrokerAddress("127.0.0.1", port, tls=True, context=client_context(province.server))
    task = asyncio.create_task(publisher.run(address))
    try:
        await until(lambda: _up(publisher), bool)
        yield publisher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _up(publisher: MqttPublisher) -> bool:
    return publisher.connected and publisher.listening


def device(port: int, papers: Papers, *, says: str = "loa-1") -> aiomqtt.Client:
    context = tls.client_context(papers.ca, certificate=papers.certificate, key=papers.key)
    return aiomqtt.Client("127.0.0.1", port, identifier=says, username=says, tls_context=context, timeout=2)


async def test_alert_by_mutual_tls_all_the_way(tmp_path: Path) -> None:
    province, heard = authority(tmp_path / "province"), list[bytes]()
    async with (
        broker(tmp_path, province) as (for_devices, for_us),
        controller(for_us, province, heard) as ours,
        device(for_devices, province.enrol("loa-1")) as client,
    ):
        await client.subscribe(ALERT, qos=1)
        await ours.publish(ALERT, b"storm")
        async with asyncio.timeout(3):
            assert bytes((await anext(client.messages)).payload) == b"storm"
        await client.publish(ALERT, b"false", qos=1)
        await client.publish("loalang/v1/d/loa-1/up/status", b"mine", qos=1)
        await until(lambda: _of(heard), lambda it: it == [b"mine"])


async def test_name_is_the_certificates(tmp_path: Path) -> None:
    """loa-2 says that it is loa-1, and speaks for loa-2 all the same."""
    province, heard = authority(tmp_path / "province"), list[bytes]()
    async with (
        broker(tmp_path, province) as (for_devices, for_us),
        controller(for_us, province, heard),
        device(for_devices, province.enrol("loa-2"), says="loa-1") as liar,
    ):
        await liar.publish("loalang/v1/d/loa-1/up/status", b"false", qos=1)
        await liar.publish("loalang/v1/d/loa-2/up/status", b"true", qos=1)
        await until(lambda: _of(heard), lambda it: it == [b"true"])


async def test_revoked_certificate_opens_nothing(tmp_path: Path) -> None:
    province = authority(tmp_path / "province")
    stolen, fresh = province.enrol("loa-1"), province.enrol("loa-1", box="new")
    async with broker(tmp_path, province, stolen) as (for_devices, _):
        with pytest.raises(aiomqtt.MqttError):
            async with device(for_devices, stolen):
                pass
        async with device(for_devices, fresh):
            pass


async def _of(heard: list[bytes]) -> list[bytes]:
    return list(heard)
