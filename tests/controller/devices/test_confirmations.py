"""A device is told which of its reports are stored, after they are."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from controller.keys import ENGINE
from controller.store.engine import reading
from controller.store.schema import as_run
from protocol import codec
from protocol.clock import WallMs
from protocol.limits import CONFIRMATION_BYTES_MAX
from protocol.report import AsRun, Confirmation, EndReason, Fault, FaultCode, report_mark
from protocol.topics import stored_topic, up_topic
from tests.controller.devices.pretend import Pretend, connected, enrol
from tests.controller.running import RunningController

pytestmark = pytest.mark.slow

_REFUSED = 128
PARTS = ("web", "people", "units", "audit", "broker", "devices", "as_run")


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return PARTS


def run(number: int, device: str = "ke-sach-01") -> AsRun:
    return AsRun(f"r{number}", device, 6, "a" * 64, WallMs(1), WallMs(2), EndReason.COMPLETE, -2000)


async def told(device: Pretend, count: int) -> list[str]:
    """Marks of the next reports that are stored."""
    found: list[str] = []
    async with asyncio.timeout(5):
        async for message in device.client.messages:
            word = codec.decode(Confirmation, bytes(message.payload), bytes_max=CONFIRMATION_BYTES_MAX)
            found += word.reports
            if len(found) >= count:
                break
    return found


async def test_stored_reports_are_confirmed(controller: RunningController) -> None:
    token = await enrol(await controller.person("technician"))
    async with connected(controller, token) as device:
        await device.client.subscribe(stored_topic(device.id))
        payloads = [codec.encode(run(number)) for number in range(30)]
        fault = Fault(device.id, FaultCode.CARD_LOST, WallMs(1))
        for report in (*(run(number) for number in range(30)), fault):
            await device.tell(report)
        marks = await told(device, 31)
        assert marks == [*(report_mark(one) for one in payloads), report_mark(codec.encode(fault))]
        async with reading(controller.app[ENGINE]) as connection:
            assert await connection.scalar(select(func.count()).select_from(as_run)) == 30


async def test_report_that_comes_again_is_confirmed_again(controller: RunningController) -> None:
    token = await enrol(await controller.person("technician"))
    async with connected(controller, token) as device:
        await device.client.subscribe(stored_topic(device.id))
        for _ in range(2):
            await device.tell(run(1))
            assert await told(device, 1) == [report_mark(codec.encode(run(1)))]


async def test_damaged_report_is_not_sent_for_ever(controller: RunningController) -> None:
    token = await enrol(await controller.person("technician"))
    async with connected(controller, token) as device:
        await device.client.subscribe(stored_topic(device.id))
        await device.tell_raw(AsRun, b"rubbish")
        await device.tell(device.status())
        foreign = run(2, "somebody-else")
        await device.client.publish(up_topic(device.id, AsRun), codec.encode(foreign), qos=1)
        assert await told(device, 2) == [report_mark(b"rubbish"), report_mark(codec.encode(foreign))]


async def test_device_hears_nothing_of_others(controller: RunningController) -> None:
    technician = await controller.person("technician")
    tokens = [await enrol(technician, name) for name in ("ke-sach-01", "ke-sach-02")]
    async with connected(controller, tokens[0]) as one, connected(controller, tokens[1], "ke-sach-02") as other:
        granted = await other.client.subscribe(stored_topic("ke-sach-01"))
        assert [getattr(one, "value", one) for one in granted] == [_REFUSED]
        await other.client.subscribe(stored_topic("ke-sach-02"))
        await one.tell(run(1))
        await other.tell(run(3, "ke-sach-02"))
        assert await told(other, 1) == [report_mark(codec.encode(run(3, "ke-sach-02")))]
