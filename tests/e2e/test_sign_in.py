"""Signing in, finding one's way on a phone, changing the language, losing nothing after a long pause."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import update

from controller.keys import ENGINE
from controller.store.engine import writing
from controller.store.schema import sessions
from tests.controller.running import PASSWORD, RunningController
from tests.e2e.conftest import sign_in

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_officer_signs_in_and_finds_the_way(phone: Page) -> None:
    await sign_in(phone, "ke-sach")
    await expect(phone.locator("h1")).to_contain_text("Người ke-sach")
    await phone.locator("nav.thumb summary").tap()
    await phone.locator(".more-sheet a[href='/units']").tap()
    await expect(phone.locator("h1")).to_have_text("Đơn vị")
    await expect(phone.locator("#found")).to_contain_text("Xã Kế Sách")


async def test_language_switch_changes_every_word(desktop: Page) -> None:
    await sign_in(desktop, "author")
    await expect(desktop.locator("nav.side")).to_contain_text("Trang chủ")
    await desktop.click("button[lang='en']")
    await expect(desktop.locator("nav.side")).to_contain_text("Home")
    await desktop.click("button[lang='vi']")
    await expect(desktop.locator("nav.side")).to_contain_text("Trang chủ")


async def test_wrong_password_says_what_to_do(phone: Page) -> None:
    await phone.goto("/login")
    await phone.fill("#login", "ke-sach")
    await phone.fill("#password", "sai rồi")
    await phone.click("main button.primary")
    await expect(phone.locator("[role=alert]")).to_contain_text("Hãy kiểm tra chữ hoa")
    await expect(phone.locator("#login")).to_have_value("ke-sach")


async def test_search_answers_while_one_types(desktop: Page) -> None:
    await sign_in(desktop, "author")
    await desktop.goto("/units")
    await desktop.locator("#q").press_sequentially("tran de")
    await expect(desktop.locator("#found li")).to_have_count(1)
    await expect(desktop.locator("#found")).to_contain_text("Xã Trần Đề")


async def test_form_after_a_day_is_not_lost(desktop: Page, controller: RunningController) -> None:
    await sign_in(desktop, "author")
    await desktop.goto("/account")
    await desktop.fill("#name", "Nguyễn Thị Lúa Vàng")
    async with writing(controller.app[ENGINE]) as connection:
        await connection.execute(update(sessions).values(expires_ms=0))
    await desktop.click("form[action='/account/name'] button")
    await expect(desktop.locator("main")).to_contain_text("vẫn được giữ")
    await desktop.fill("#login", "author")
    await desktop.fill("#password", PASSWORD)
    await desktop.click("main button.primary")
    await expect(desktop.locator("blockquote")).to_have_text("Nguyễn Thị Lúa Vàng")
    await desktop.click("main button.primary")
    await expect(desktop.locator(".notice.done")).to_contain_text("Đã đổi tên")
    await expect(desktop.locator(".me")).to_contain_text("Nguyễn Thị Lúa Vàng")


async def test_confirmation_asks_before_closing_an_account(desktop: Page) -> None:
    await sign_in(desktop, "technician")
    await desktop.goto("/accounts")
    await desktop.get_by_role("link", name="Người tran-de-2").click()
    await desktop.get_by_role("button", name="Khoá tài khoản").click()
    await expect(desktop.locator("dialog")).to_contain_text("Khoá tài khoản của Người tran-de-2?")
    await desktop.get_by_role("button", name="Không, quay lại").click()
    await expect(desktop.locator(".heading .badge")).to_have_text("đang mở")
    await desktop.get_by_role("button", name="Khoá tài khoản").click()
    await desktop.get_by_role("button", name="Có, thực hiện").click()
    await expect(desktop.locator(".heading .badge")).to_have_text("đã khoá")


async def test_page_left_open_keeps_what_is_being_written(desktop: Page, controller: RunningController) -> None:
    await sign_in(desktop, "ke-sach")
    await desktop.goto("/bulletins/new")
    await desktop.click("input[name=sound_from][value=speech]")
    await desktop.fill("[data-part=text]", "Mai tiêm phòng dại cho chó mèo.")
    async with writing(controller.app[ENGINE]) as connection:
        await connection.execute(update(sessions).values(expires_ms=0))
    await desktop.click("[data-do=speak]")
    await expect(desktop.locator("#signed-out")).to_contain_text("vẫn còn ở đây")
    await expect(desktop.locator("[data-part=error]")).to_contain_text("bấm lại")
    other = await desktop.context.new_page()
    await sign_in(other, "ke-sach")
    await other.close()
    await desktop.evaluate("window.dispatchEvent(new Event('focus'))")
    await expect(desktop.locator("#signed-out")).to_be_hidden()
    await desktop.click("[data-do=speak]")
    await expect(desktop.locator("[data-part=chosen]")).to_be_visible()
    await expect(desktop.locator("[data-part=text]")).to_have_value("Mai tiêm phòng dại cho chó mèo.")


async def test_draft_does_not_drop_a_text_that_was_not_spoken(phone: Page) -> None:
    await sign_in(phone, "ke-sach")
    await phone.goto("/bulletins/new")
    await phone.fill("[name=title]", "Chưa đọc")
    await phone.click("input[name=sound_from][value=speech]")
    await phone.fill("[data-part=text]", "Mai tiêm phòng dại.")
    await phone.locator("#composer button[formnovalidate]").click()
    await expect(phone.locator("[data-part=error]")).to_be_visible()
    await expect(phone.locator("[data-part=text]")).to_have_value("Mai tiêm phòng dại.")
