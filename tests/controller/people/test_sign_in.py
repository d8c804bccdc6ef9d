"""Signing in, staying in, and losing nothing when the session ends."""

from __future__ import annotations

import pytest

from tests.controller.running import PASSWORD, Hands, RunningController

pytestmark = pytest.mark.slow


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return ("web", "people")


async def test_sign_in_leads_to_where_one_was(controller: RunningController) -> None:
    browser = controller.stranger()
    page = await browser.see("/?day=1", status=401)
    assert 'name="onward" value="/?day=1"' in page
    form = {"login": "author", "password": PASSWORD, "onward": "/?day=1"}
    answer = await browser.session.post("/login", data=form, allow_redirects=False)
    assert answer.status == 303
    assert answer.headers["Location"] == "/?day=1"
    assert "Người author" in await browser.see("/")


async def test_sign_in_never_leads_elsewhere(controller: RunningController) -> None:
    form = {"login": "author", "password": PASSWORD, "onward": "//evil.example/"}
    answer = await controller.stranger().session.post("/login", data=form, allow_redirects=False)
    assert answer.headers["Location"] == "/"


async def test_wrong_password_is_explained(controller: RunningController) -> None:
    answer = await controller.stranger().send("/login", {"login": "author", "password": "wrong"})
    assert answer.status == 401
    assert "không đúng" in answer.told


async def test_sixth_wrong_password_closes_the_account_for_a_while(
    controller: RunningController, hands: Hands
) -> None:
    browser = controller.stranger()
    for _ in range(5):
        await browser.send("/login", {"login": "author", "password": "wrong"})
    answer = await browser.send("/login", {"login": "author", "password": PASSWORD})
    assert answer.status == 429
    assert "15 phút" in answer.told
    hands.passed_ms += 16 * 60_000
    await browser.sign_in("author")


async def test_session_ends_after_twelve_idle_hours(controller: RunningController, hands: Hands) -> None:
    browser = await controller.person("author")
    hands.passed_ms += 11 * 3_600_000
    await browser.see("/")
    hands.passed_ms += 11 * 3_600_000
    await browser.see("/")
    hands.passed_ms += 13 * 3_600_000
    await browser.see("/", status=401)


async def test_form_with_an_ended_session_is_kept(controller: RunningController, hands: Hands) -> None:
    browser = await controller.person("author")
    hands.passed_ms += 24 * 3_600_000
    answer = await browser.send("/account/name", {"name": "Nguyễn Thị Lúa"}, once="k1")
    assert answer.status == 401
    held = '{"action": "/account/name", "fields": [["once", "k1"], ["name", "Nguyễn Thị Lúa"]]}'
    assert held.replace('"', "&#34;") in answer.text
    again = await browser.send("/login", {"login": "author", "password": PASSWORD, "held": held})
    assert 'action="/account/name"' in again.text
    assert ">Nguyễn Thị Lúa<" in again.text


async def test_old_token_shows_the_form_again(controller: RunningController) -> None:
    browser = await controller.person("author")
    browser.csrf = "from another day"
    answer = await browser.send("/account/name", {"name": "Lúa"})
    assert answer.status == 200
    assert 'name="name" value="Lúa"' in answer.text


async def test_signed_out_browser_is_out(controller: RunningController) -> None:
    browser = await controller.person("author")
    await browser.send("/sign-out")
    await browser.see("/", status=401)


async def test_programs_sign_in_and_out(controller: RunningController) -> None:
    browser = await controller.person("ke-sach")
    await browser.call("DELETE", "/session", status=204)
    error = await browser.call("DELETE", "/session", status=401)
    assert error["error"]["code"] == "sign_in"


async def test_form_of_another_site_is_refused(controller: RunningController) -> None:
    browser = await controller.person("author")
    headers = {"Origin": "http://evil.example"}
    answer = await browser.session.post("/sign-out", data={"csrf": browser.csrf}, headers=headers)
    assert answer.status == 403
    await browser.see("/")


async def test_rebound_host_name_is_refused(controller: RunningController) -> None:
    answer = await controller.stranger().session.get("/login", headers={"Host": "evil.example"})
    assert answer.status == 421


async def test_language_is_remembered_by_the_account(controller: RunningController) -> None:
    browser = await controller.person("author")
    assert "Trang chủ" in await browser.see("/")
    await browser.send("/language", {"language": "en", "onward": "/"})
    assert "Home" in await browser.see("/")
    assert "Home" in await (await controller.person("author")).see("/")


async def test_page_that_refreshes_itself_keeps_nobody_signed_in(controller: RunningController, hands: Hands) -> None:
    browser = await controller.person("author")
    for _ in range(2):
        hands.passed_ms += 7 * 3_600_000
        answer = await browser.session.get("/", headers={"Sec-Fetch-Mode": "cors"})
    assert answer.status == 401
