"""Whoever carried a stick to the pole is told at the office what became of it."""

from __future__ import annotations

import pytest

from controller.app import present
from controller.devices.history import StandingSeen
from controller.devices.wording import document
from protocol.clock import WallMs
from protocol.report import Receipt, Standing
from tests.controller.devices.pretend import connected, enrol, until
from tests.controller.running import RunningController

PARTS = ("web", "people", "units", "audit", "broker", "devices", "as_run")


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return PARTS


async def test_taken_stick_is_on_the_devices_page(controller: RunningController) -> None:
    technician = await controller.person("technician")
    token = await enrol(technician)
    detail = "usb: 7 documents, 2 new, 1 refused"
    async with connected(controller, token) as device:
        told = Receipt(device.id, "d" * 64, "bundle", Standing.RECEIVED, present(), detail=detail)
        await device.tell(told)
        await until(lambda: technician.see("/devices/ke-sach-01"), lambda page: "7 văn bản, 2 mới, 1 bị" in page)


@pytest.mark.parametrize("detail", [None, "", "usb: 7 documents", "usb: 99999 documents, 1 new, 1 refused", "<b>"])
def test_other_words_are_not_shown(detail: str | None) -> None:
    seen = StandingSeen("d", "e" * 64, None, "received", None, WallMs(0), detail=detail)
    assert document(seen).endswith("eeeeeeeeeeee")


@pytest.mark.slow
async def test_document_that_the_office_does_not_hold_is_named_by_its_kind(controller: RunningController) -> None:
    technician = await controller.person("technician")
    token = await enrol(technician)
    async with connected(controller, token) as device:
        await device.tell(Receipt(device.id, "f" * 64, "live-session", Standing.RECEIVED, present()))
        await until(lambda: technician.see("/devices/ke-sach-01"), lambda page: "Phát trực tiếp" in page)
