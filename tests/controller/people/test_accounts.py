"""Accounts: seen within one's units, changed by a technician of those units, never one's own."""

from __future__ import annotations

import re

import pytest

from tests.controller.running import KE_SACH, PASSWORD, TRAN_DE, Answer, Person, RunningController

pytestmark = pytest.mark.slow


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return ("web", "people", "units", "audit")


async def number_of(person: Person, login: str) -> int:
    page = await person.see("/accounts")
    found = re.search(rf'/accounts/(\d+)">[^<]*</a></td>\s*<td[^>]*><code>{login}<', page)
    assert found, page
    return int(found[1])


async def create(person: Person, login: str, unit: str = KE_SACH) -> Answer:
    return await person.send("/accounts", {"login": login, "name": "Trần Văn Mía", "role": "author", "unit": unit})


async def test_commune_sees_only_its_people(controller: RunningController) -> None:
    page = await (await controller.person("ke-sach")).see("/accounts")
    assert "ke-sach-2" in page
    assert "tran-de" not in page
    assert ">author<" not in page


async def test_new_account_can_sign_in(controller: RunningController) -> None:
    technician = await controller.person("ke-sach-kt")
    answer = await create(technician, "van-mia")
    found = re.search(r"mật khẩu “([^”]+)”", answer.told)
    assert found, answer.told
    await controller.stranger().sign_in("van-mia", found[1])
    assert "đã tạo tài khoản" in await technician.see("/audit")


async def test_taken_login_is_explained(controller: RunningController) -> None:
    answer = await create(await controller.person("technician"), "tran-de")
    assert "đã có người dùng" in answer.told


async def test_role_outside_ones_units_is_refused(controller: RunningController) -> None:
    answer = await create(await controller.person("ke-sach-kt"), "van-mia", TRAN_DE)
    assert answer.status == 403


async def test_author_makes_no_accounts(controller: RunningController) -> None:
    author = await controller.person("author")
    assert (await create(author, "van-mia")).status == 403
    await author.see("/accounts/new", status=403)


async def test_closed_account_is_out_at_once(controller: RunningController) -> None:
    technician, victim = await controller.person("technician"), await controller.person("ke-sach")
    number = await number_of(technician, "ke-sach")
    assert "đã khoá" in (await technician.send(f"/accounts/{number}/close")).told
    await victim.see("/", status=401)
    answer = await controller.stranger().send("/login", {"login": "ke-sach", "password": PASSWORD})
    assert "đã khoá" in answer.told


async def test_technician_changes_not_oneself(controller: RunningController) -> None:
    technician = await controller.person("technician")
    number = await number_of(technician, "technician")
    answer = await technician.send(f"/accounts/{number}/give", {"role": "approver", "unit": KE_SACH})
    assert answer.status == 403


async def test_account_above_ones_units_is_not_found(controller: RunningController) -> None:
    number = await number_of(await controller.person("technician"), "author")
    below = await controller.person("ke-sach-kt")
    await below.see(f"/accounts/{number}", status=404)
    assert (await below.send(f"/accounts/{number}/close")).status == 404


async def test_last_role_stays(controller: RunningController) -> None:
    technician = await controller.person("technician")
    number = await number_of(technician, "ke-sach")
    first = await technician.send(f"/accounts/{number}/take", {"role": "author", "unit": KE_SACH})
    assert "Đã thu lại" in first.told
    second = await technician.send(f"/accounts/{number}/take", {"role": "operator", "unit": KE_SACH})
    assert "vai trò cuối cùng" in second.told


async def test_new_password_ends_other_sessions(controller: RunningController) -> None:
    here, there = await controller.person("author"), await controller.person("author")
    fresh = "bup sen trang moc"
    answer = await here.send("/account/password", {"present": PASSWORD, "fresh": fresh, "again": fresh})
    assert "Đã đổi mật khẩu" in answer.told
    await here.see("/")
    await there.see("/", status=401)


async def test_double_click_makes_one_account(controller: RunningController) -> None:
    technician = await controller.person("technician")
    fields = {"login": "van-mia", "name": "Mía", "role": "author", "unit": KE_SACH}
    first = await technician.send("/accounts", fields, once="same")
    second = await technician.send("/accounts", fields, once="same")
    assert first.path == second.path
    assert "mật khẩu" not in second.told, "a password is shown once, and never stored"
