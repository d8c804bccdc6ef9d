"""A real browser for stories: Debian's Chromium under Playwright, as a phone and as a desktop screen.

`phone` and `desktop` are pages; a script error or a breach of the content policy in any of them fails the test.
Tests of this folder say `pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]`.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from controller.web.vendor import fetch
from tests.component import need
from tests.controller.conftest import filled
from tests.controller.running import PASSWORD, RunningController, run_controller

__all__ = ["filled"]

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; without it the tests are skipped, except on the build machine, where that would hide everything."""
    need(CHROMIUM.exists(), "chromium")
    fetch()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def controller(filled: Path, tmp_path: Path) -> AsyncIterator[RunningController]:
    """A whole running controller."""
    shutil.copytree(filled, tmp_path / "data")
    async with run_controller(tmp_path / "data") as running:
        yield running


@asynccontextmanager
async def open_page(browser: Browser, origin: str, *, screen: dict[str, int]) -> AsyncIterator[Page]:
    """A page of a new browser profile; at the end it must not have complained."""
    phone = screen is PHONE
    context = await browser.new_context(
        base_url=origin,
        viewport={"width": screen["width"], "height": screen["height"]},
        locale="vi-VN",
        timezone_id="Asia/Ho_Chi_Minh",
        has_touch=phone,
        is_mobile=phone,
        permissions=["microphone"],
    )
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.extend(_policy(message)))
    page.set_default_timeout(10_000)
    yield page
    await context.close()
    assert not complaints, complaints


def _policy(message: ConsoleMessage) -> list[str]:
    return [message.text] if "Content Security Policy" in message.text else []


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser, controller: RunningController) -> AsyncIterator[Page]:
    """A phone-sized page."""
    async with open_page(browser, controller.origin, screen=PHONE) as page:
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def desktop(browser: Browser, controller: RunningController) -> AsyncIterator[Page]:
    """A desktop-sized page."""
    async with open_page(browser, controller.origin, screen=DESKTOP) as page:
        yield page


async def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """Signs in through the form."""
    await page.goto("/login")
    await page.fill("#login", login)
    await page.fill("#password", password)
    await page.click("main button.primary")
    await page.wait_for_url("**/")
