"""The program as it is started, and its page in a real browser."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Browser, async_playwright

from protocol.document import Kind
from provisioning.demo import Ceremony
from signer.signing import HandOver
from tests.component import need
from tests.signer import documents
from tests.signer.conftest import Desk, start

CHROMIUM = Path("/usr/bin/chromium")


async def launch(*words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "signer", *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
async def test_program_starts_and_stops(ceremony: Ceremony) -> None:
    port = free_port()
    program = await launch("--data", str(ceremony.data), "--port", str(port))
    try:
        text = await _read_soon(f"http://127.0.0.1:{port}/")
    finally:
        program.terminate()
    assert "Bản trình diễn" in text
    assert "Nguyễn Thị Lan" in text
    assert await program.wait() == 0


async def _read_soon(address: str) -> str:
    async with aiohttp.ClientSession() as session:
        for _look in range(200):
            try:
                async with session.get(address) as answer:
                    return await answer.text()
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
    raise AssertionError("the signer did not answer within ten seconds")


@pytest.mark.slow
async def test_taken_port_is_said_plainly(ceremony: Ceremony) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        program = await launch("--data", str(ceremony.data), "--port", str(other.getsockname()[1]))
        _, said = await program.communicate()
    assert program.returncode == 2
    assert "đang bận" in said.decode()
    assert "Traceback" not in said.decode()


@pytest.mark.slow
async def test_program_that_is_not_enrolled(tmp_path: Path) -> None:
    program = await launch("--data", str(tmp_path))
    _, said = await program.communicate()
    assert program.returncode == 2
    assert "anchor.json" in said.decode()
    assert "Traceback" not in said.decode()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    need(CHROMIUM.exists(), "chromium")
    async with async_playwright() as playwright:
        made = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield made
        await made.close()


@pytest.mark.slow
@pytest.mark.e2e
async def test_browser_goes_to_the_signer_and_back(desk: Desk, browser: Browser) -> None:
    """Across two origins under both content policies: hand-over, wrong passphrase, right one, and home again."""
    form = HandOver(desk.controller.origin, Kind.ALERT, documents.alert(), "").form()

    async def hand_over(request: web.Request) -> web.Response:
        home = str(request.url.origin())
        fields = form | {"controller": desk.controller.origin, "return_url": f"{desk.controller.origin}/media/x"}
        inputs = "".join(f"<input type=hidden name={name} value='{value}'>" for name, value in fields.items())
        page = f"<form method=post action='{desk.origin}/review'>{inputs}<button>{home}</button></form>"
        return web.Response(text=page, content_type="text/html", headers={"Referrer-Policy": "same-origin"})

    app = web.Application()
    app.router.add_get("/", hand_over)
    runner, elsewhere = await start(app)
    try:
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        await page.goto(elsewhere)
        await page.click("button")
        await page.wait_for_selector("h1:has-text('KHẨN CẤP THẬT')")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.fill("input[type=password]", "sai")
        await page.check("input[value=c1]")
        await page.click("button[type=submit]")
        await page.wait_for_selector("text=Mật khẩu ký không đúng")
        assert await page.is_checked("input[value=c1]")
        await page.fill("input[type=password]", desk.ceremony.person("c1").passphrase)
        await page.click("button[type=submit]")
        await page.wait_for_url(f"{desk.controller.origin}/media/x")
        assert not [one for one in complaints if "Content Security" in one]
    finally:
        await runner.cleanup()
    assert len(desk.controller.taken) == 2


@pytest.mark.slow
@pytest.mark.e2e
async def test_kind_is_in_sight_where_the_passphrase_is_typed(desk: Desk, browser: Browser) -> None:
    """On a phone the red, striped or dashed head has long scrolled away by then."""
    page = await browser.new_page(viewport={"width": 390, "height": 700})
    looks: set[tuple[str, str]] = set()
    for kind, word in ((Kind.ALERT, "KHẨN CẤP THẬT"), (Kind.ALERT_DRILL, "DIỄN TẬP"), (Kind.ALERT_TEST, "PHÁT THỬ")):
        address, _ = await desk.open(kind, documents.alert(), lang="vi")
        await page.goto(address)
        await page.focus("input[type=password]")
        bar = page.locator(".kind-bar")
        assert word in await bar.inner_text()
        box = await bar.bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 700
        assert word.split()[-1] in (await page.inner_text("button[type=submit]")).upper()
        style = "getComputedStyle(document.querySelector('.kind-bar'))"
        looks.add((await page.evaluate(f"{style}.borderTopStyle"), (await bar.inner_text())[0]))
    assert len(looks) == 3, "told apart by frame and sign, without any colour"
