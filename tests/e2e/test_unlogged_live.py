"""A loudspeaker obeys what was never distributed: whoever looks at a page is told without loading it again."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from protocol.report import Standing
from tests.controller.devices.pretend import connected, enrol
from tests.controller.running import RunningController
from tests.e2e.conftest import sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
LIVE = "html[data-live=on]"


async def test_home_and_every_other_page_tell(controller: RunningController, phone: Page) -> None:
    token = await enrol(await controller.stranger().sign_in("technician"))
    await sign_in(phone, "technician")
    other = await phone.context.new_page()
    await other.goto("/devices")
    for page in (phone, other):
        await expect(page.locator(LIVE)).to_have_count(1)
    await expect(other.locator("#unlogged")).to_be_hidden()
    async with connected(controller, token) as device:
        await device.tell(device.receipt("5" * 64, Standing.SOUNDING, kind="alert"))
        await expect(phone.locator("#panels")).to_contain_text("1 văn bản")
        await expect(other.locator("#unlogged")).to_be_visible()
        await device.tell(device.receipt("6" * 64, Standing.SOUNDING, kind="alert"))
        await expect(phone.locator("#panels")).to_contain_text("2 văn bản")
    await expect(phone.locator("#unlogged")).to_have_count(0)
    await other.click("#unlogged a")
    await expect(other.locator("main")).to_contain_text("5" * 64)
