"""What every request passes: headers, explained failures, what is told on the next page."""

from __future__ import annotations

import io

import pytest

from tests.controller.running import RunningController


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return ("web", "people")


async def test_every_page_forbids_what_is_foreign(controller: RunningController) -> None:
    answer = await controller.stranger().session.get("/login")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "form-action 'self' http://127.0.0.1:8090" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_cookie_is_out_of_reach_of_scripts(controller: RunningController) -> None:
    form = {"login": "author", "password": "lua chin vang 2026"}
    answer = await controller.stranger().session.post("/login", data=form, allow_redirects=False)
    cookie = answer.cookies["loalang_session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


async def test_unknown_page_is_explained(controller: RunningController) -> None:
    page = await (await controller.person("author")).see("/nowhere", status=404)
    assert "Không tìm thấy trang này" in page
    body = await (await controller.person("author")).call("GET", "/nowhere", status=404)
    assert body["error"]["code"] == "not_found"


async def test_too_large_form_is_explained(controller: RunningController) -> None:
    person = await controller.person("author")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = io.BytesIO(b"name=" + b"a" * 1_100_000)
    answer = await person.session.post("/account/name", data=body, headers=headers)
    assert answer.status == 413
    assert "lớn quá" in await answer.text()


async def test_page_of_the_next_form_is_told(controller: RunningController) -> None:
    person = await controller.person("author")
    answer = await person.send("/account/name", {"name": "Đỗ Thị Sen"})
    assert answer.told == "Đã đổi tên của bạn."
    assert "Đã đổi tên" not in await person.see("/account")


async def test_ended_session_of_a_part_leaves_the_page_standing(controller: RunningController) -> None:
    answer = await controller.stranger().session.get("/", headers={"HX-Request": "true"})
    assert answer.status == 401
    assert answer.headers["HX-Reswap"] == "none"
    assert answer.headers["HX-Trigger"] == "loalang:signed-out"


async def test_live_events_need_a_session(controller: RunningController) -> None:
    answer = await controller.stranger().session.get("/events")
    assert answer.status == 401
