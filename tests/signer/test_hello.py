"""What the controller's pages may ask, and nobody else's: plainly, and in a real browser."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from protocol.clock import DAY_MS
from protocol.document import Kind
from signer.app import make_app
from signer.config import SignerConfig
from signer.request_file import read_request_file
from signer.signing import HandOver
from tests.component import need
from tests.signer import documents
from tests.signer.conftest import Desk, start

CHROMIUM = Path("/usr/bin/chromium")
HAND_OVER = Path(__file__).parents[2] / "controller" / "signing" / "static" / "hand_over.js"


async def ask(
    desk: Desk, origin: str = "", *, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], str]:
    sent = {"Origin": origin} if origin else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    async with desk.session.request(method, f"{desk.origin}/hello", headers=sent) as answer:
        return answer.status, dict(answer.headers), await answer.text()


async def test_controllers_page_learns_that_the_signer_runs(desk: Desk) -> None:
    status, headers, text = await ask(desk, desk.controller.origin)
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == desk.controller.origin
    assert "Origin" in headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in headers
    said = json.loads(text)
    assert said["program"] == "loalang-signer"
    assert "Đài truyền thanh xã Long Phú" in [one["office"] for one in said["offices"]]
    assert {one["warning"] for one in said["offices"]} == {None}


async def test_answer_holds_nothing_secret(desk: Desk) -> None:
    _, _, text = await ask(desk, desk.controller.origin)
    for person in desk.ceremony.people:
        assert person.passphrase not in text
        assert person.public not in text


async def test_ends_are_warned_of(desk: Desk) -> None:
    for ahead, step in ((60, None), (29, 30), (13, 14), (2, 3), (-1, 0)):
        desk.clock["wall"] = int(documents.NOW) + (89 - ahead) * DAY_MS
        said = json.loads((await ask(desk, desk.controller.origin))[2])
        found = {one["office"]: one["warning"] for one in said["offices"]}
        assert found["Nguyễn Thị Lan"] == step, ahead


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"])
async def test_other_origins_learn_nothing(desk: Desk, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        status, headers, text = await ask(desk, origin, method=method, Access_Control_Request_Method="GET")
        assert status == 403
        assert not [name for name in headers if name.startswith("Access-Control")]
        assert "loalang-signer" not in text


async def test_preflight_for_a_private_address(desk: Desk) -> None:
    asked = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Private_Network": "true"}
    status, headers, _ = await ask(desk, desk.controller.origin, method="OPTIONS", **asked)
    assert status == 204
    assert headers["Access-Control-Allow-Private-Network"] == "true"
    assert headers["Access-Control-Allow-Methods"] == "GET"
    status, headers, _ = await ask(
        desk, desk.controller.origin, method="OPTIONS", Access_Control_Request_Method="POST"
    )
    assert status == 403


async def test_no_other_address_may_be_read_from_elsewhere(desk: Desk) -> None:
    for path in ("/", "/review/x", "/static/signer.css"):
        async with desk.session.get(desk.origin + path, headers={"Origin": desk.controller.origin}) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_rebound_name_is_not_greeted(desk: Desk) -> None:
    host = f"evil.example:{desk.origin.rpartition(':')[2]}"
    assert (await ask(desk, desk.controller.origin, Host=host))[0] == 403


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    need(CHROMIUM.exists(), "chromium")
    async with async_playwright() as playwright:
        browser: Browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield await browser.new_page(viewport={"width": 390, "height": 844})
        await browser.close()


def _as_file(fields: dict[str, str]) -> str:
    """The link by which the controller's page lets a request be saved."""
    return f"data:application/json;base64,{base64.b64encode(json.dumps(fields).encode()).decode()}"


def pages_of(signer: str, policy: str) -> web.Application:
    """The hand-over page with its real script, under a content policy like the controller's."""
    form = HandOver("", Kind.STOP, documents.stop(), "").form()

    async def hand_over(request: web.Request) -> web.Response:
        fields = form | {"controller": str(request.url.origin())}
        inputs = "".join(f"<input type=hidden name={name} value='{value}'>" for name, value in fields.items())
        body = (
            f"<form method=post action='{signer}/review' id=hand-over>{inputs}</form>"
            "<p id=signer-absent hidden>away</p>"
            f"<a id=save download=ask.json href='{_as_file(fields)}'>save</a>"
            "<script type=module src=/hand_over.js></script>"
        )
        headers = {"Referrer-Policy": "same-origin", "Content-Security-Policy": policy}
        return web.Response(text=body, content_type="text/html", headers=headers)

    async def script(_request: web.Request) -> web.Response:
        return web.Response(body=HAND_OVER.read_bytes(), content_type="text/javascript")

    app = web.Application()
    app.router.add_get("/", hand_over)
    app.router.add_get("/hand_over.js", script)
    return app


@pytest.mark.slow
@pytest.mark.e2e
async def test_page_waits_for_the_signer_and_goes_on(desk: Desk, page: Page) -> None:
    """Nothing runs at first; the person starts the signer; the page leads there without another touch."""
    free, signer = await start(web.Application())
    port = int(signer.rpartition(":")[2])
    await free.cleanup()
    policy = f"default-src 'self'; form-action 'self' {signer}; connect-src 'self' {signer}"
    runner, controller = await start(pages_of(signer, policy))
    config = SignerConfig(desk.ceremony.data / "signer", controller, port=port)
    mine = web.AppRunner(make_app(config, wall=lambda: documents.NOW))
    try:
        await page.goto(controller)
        await page.wait_for_selector("text=away")
        await mine.setup()
        await web.TCPSite(mine, "127.0.0.1", port).start()
        await page.wait_for_url(f"{signer}/review/*")
        assert await page.locator("h1").inner_text()
    finally:
        await runner.cleanup()
        await mine.cleanup()


@pytest.mark.slow
@pytest.mark.e2e
async def test_browser_keeps_other_origins_out(desk: Desk, page: Page) -> None:
    runner, foreign = await start(pages_of(desk.origin, f"connect-src {desk.origin}; form-action 'none'"))
    try:
        await page.goto(foreign)
        asked = f"fetch('{desk.origin}/hello').then(a => a.text()).catch(e => 'blocked: ' + e)"
        assert str(await page.evaluate(asked)).startswith("blocked")
        blind = f"fetch('{desk.origin}/hello', {{mode: 'no-cors'}}).then(a => a.text()).catch(e => 'blocked: ' + e)"
        assert str(await page.evaluate(blind)) in ("", "blocked: TypeError: Failed to fetch")
    finally:
        await runner.cleanup()


async def test_cookie_takes_no_part(desk: Desk) -> None:
    headers = {"Origin": desk.controller.origin, "Cookie": "signer_lang=en"}
    async with desk.session.get(f"{desk.origin}/hello", headers=headers) as answer:
        assert "Set-Cookie" not in answer.headers


async def test_pages_warn_of_what_ends(desk: Desk) -> None:
    root = desk.ceremony.data / "signer" / "root" / "metadata"
    root.mkdir(parents=True)
    (root / "root.json").write_text('{"signed": {"expires": "2026-05-21T20:00:00Z"}}')
    desk.clock["wall"] = int(documents.NOW) + 177 * DAY_MS
    home = await desk.read(f"{desk.origin}/?lang=en")
    assert "Ends in less than 3 days" in home
    assert "The root of trust of this machine" in home
    assert "Have it renewed now: ask the office above you" in home
    _, page = await desk.open(Kind.ALERT, documents.alert(issued=desk.clock["wall"]))
    assert "Have it renewed now" in page
    assert "Run the update, from the network or from a stick" in page
    desk.clock["wall"] = int(documents.NOW)
    assert "Have it renewed" not in await desk.read(f"{desk.origin}/")


@pytest.mark.slow
@pytest.mark.e2e
async def test_request_is_saved_as_a_file_that_the_signer_reads(desk: Desk, page: Page, tmp_path: Path) -> None:
    """Under the controller's content policy, and without any script."""
    policy = f"default-src 'self'; form-action 'self' {desk.origin}; connect-src 'self'; object-src 'none'"
    runner, controller = await start(pages_of(desk.origin, policy))
    try:
        await page.goto(controller)
        async with page.expect_download() as waited:
            await page.click("#save")
        await (await waited.value).save_as(tmp_path / "ask.json")
    finally:
        await runner.cleanup()
    config = SignerConfig(tmp_path, controller)
    review = read_request_file((tmp_path / "ask.json").read_bytes(), config=config)
    assert (review.kind, review.carried, review.return_url) == (Kind.STOP, True, None)
