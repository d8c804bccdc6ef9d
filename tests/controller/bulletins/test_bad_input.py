"""Everything a person can get wrong, through the real application: a clear sentence each, and nothing is lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from controller.keys import CLOCK, ENGINE
from protocol.clock import WallMs, local_datetime
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE, Hands
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import LONG_SOUND, approved, browser, draft

pytestmark = pytest.mark.slow

DAY_MS = 86_400_000


def tomorrow(stage: Stage, time: str) -> dict[str, Any]:
    now = stage.running.app[CLOCK]()
    day = local_datetime(WallMs(now + DAY_MS)).date()
    return {"kind": "once", "date": day.isoformat(), "time": time}


def codes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["field"], one["code"]) for one in answer["error"]["problems"]]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": "  "}, ("title", "title_missing")),
        ({"title": "x" * 201}, ("title", "title_too_long")),
        ({"class": "loud"}, ("bulletin_class", "class_unknown")),
        ({"unit": "vn/92/1"}, ("unit", "unit_unknown")),
        ({"unit": TRAN_DE, "targets": [TRAN_DE]}, ("unit", "unit_out_of_scope")),
        ({"targets": [TRAN_DE]}, ("targets", "target_out_of_scope")),
        ({"targets": [f"{KE_SACH}/c99"]}, ("targets", "target_out_of_scope")),
        ({"content": {"kind": "programme", "media_digest": "0" * 64}}, ("media_digest", "content_unknown")),
        (
            {"content": {"kind": "relay", "frequency_khz": 12, "duration_ms": 60_000}},
            ("frequency_khz", "frequency_wrong"),
        ),
        ({"content": {"kind": "relay", "frequency_khz": 91_000, "duration_ms": 1}}, ("relay_ms", "duration_wrong")),
        (
            {"content": {"kind": "stream", "address": "ftp://radio.vn", "duration_ms": 60_000}},
            ("stream_address", "stream_wrong"),
        ),
        ({"content": {"kind": "stream", "address": "https://radio.vn"}}, ("relay_ms", "duration_wrong")),
        ({"when": {"kind": "once", "date": "31/02/2027", "time": "17:00"}}, ("date", "no_such_day")),
        ({"when": {"kind": "once", "date": "2020-01-01", "time": "17:00"}}, ("time", "past")),
        ({"when": {"kind": "weekly", "time": "17:00"}}, ("days", "days_missing")),
    ],
)
async def test_wrong_fields_are_told_when_stored(
    stage: Stage, changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    answer = await stage.author.call("POST", "/bulletins", draft(**changes), status=422)
    assert expected in codes(answer)
    assert answer["error"]["message"]


async def test_all_mistakes_are_told_at_once(stage: Stage) -> None:
    body = draft(title="", targets=[TRAN_DE], when={"kind": "once", "date": "31/02/2027", "time": "17:00"})
    answer = await stage.author.call("POST", "/bulletins", body, status=422)
    assert [code for _, code in codes(answer)] == ["title_missing", "no_such_day", "target_out_of_scope"]


async def submit_refused(stage: Stage, body: dict[str, Any], *, status: int = 422) -> list[tuple[str, str]]:
    made = await stage.author.call("POST", "/bulletins", body, status=201)
    answer = await stage.author.call("POST", f"/bulletins/{made['id']}/submit", {}, status=status)
    kept = await stage.author.call("GET", f"/bulletins/{made['id']}")
    assert kept["state"] == "draft"
    return codes(answer)


async def test_nothing_chosen_yet(stage: Stage) -> None:
    body = {"unit": KE_SACH, "title": "Chưa xong"}
    assert await submit_refused(stage, body) == [
        ("media_digest", "content_missing"),
        ("targets", "targets_missing"),
        ("kind", "time_missing"),
    ]


async def test_quiet_hours_by_default(stage: Stage) -> None:
    assert await submit_refused(stage, draft(when=tomorrow(stage, "22:00"))) == [("time", "quiet_hours")]


async def test_running_into_quiet_hours(stage: Stage) -> None:
    body = draft(when=tomorrow(stage, "20:59"))
    assert await submit_refused(stage, body) == [("time", "runs_into_quiet_hours")]


async def test_ordinary_over_ordinary_is_refused(stage: Stage) -> None:
    await approved(stage.author, stage.approver, draft(when=tomorrow(stage, "17:00"), title="Trước"))
    body = draft(when=tomorrow(stage, "17:01"), targets=[f"{KE_SACH}/c02"])
    assert await submit_refused(stage, body) == [("time", "overlaps_ordinary")]


async def test_priority_over_ordinary_goes_on_after_being_told(stage: Stage) -> None:
    await approved(stage.author, stage.approver, draft(when=tomorrow(stage, "17:00"), title="Trước"))
    body = draft(when=tomorrow(stage, "17:01")) | {"class": "priority"}
    assert await submit_refused(stage, body, status=409) == [("time", "overlaps")]
    made = await stage.author.call("POST", "/bulletins", body, status=201)
    answer = await stage.author.call("POST", f"/bulletins/{made['id']}/submit", {"go_on": True})
    assert answer["state"] == "submitted"


async def test_weekly_that_overlaps_itself(stage: Stage) -> None:
    now = local_datetime(stage.running.app[CLOCK]())
    first, last = now.date() + timedelta(days=1), now.date() + timedelta(days=20)
    when = {
        "kind": "weekly",
        "time": "08:00",
        "days": [1, 2, 3, 4, 5, 6, 7],
        "first_date": first.isoformat(),
        "last_date": last.isoformat(),
    }
    content = {"kind": "relay", "frequency_khz": 91_000, "duration_ms": 4 * 3_600_000}
    made = await stage.author.call("POST", "/bulletins", draft(when=when, content=content), status=201)
    answer = await stage.author.call("POST", f"/bulletins/{made['id']}/submit", {})
    assert answer["state"] == "submitted"
    again = draft(when=when, content={"kind": "programme", "media_digest": LONG_SOUND})
    assert await submit_refused(stage, again, status=409) == [("time", "overlaps")]


async def test_page_left_open_for_a_day(stage: Stage, hands: Hands) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(when=tomorrow(stage, "09:00")), status=201)
    hands.passed_ms += DAY_MS + 3_600_000
    answer = await stage.author.call("POST", f"/bulletins/{made['id']}/submit", {}, status=422)
    assert codes(answer) == [("time", "past")]


async def test_second_approval_is_told_who_and_when(stage: Stage) -> None:
    done = await approved(stage.author, stage.approver, draft())
    above = await browser(stage.running, "approver")
    answer = await above.call("POST", f"/bulletins/{done['id']}/approve", {}, status=409)
    assert answer["error"]["code"] == "already_approved"
    assert "Người ke-sach-2" in answer["error"]["message"]


async def test_two_approvals_at_once(stage: Stage) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(), status=201)
    await stage.author.call("POST", f"/bulletins/{made['id']}/submit", {})
    above = await browser(stage.running, "approver")
    path = f"/api/v1/bulletins/{made['id']}/approve"
    answers = await asyncio.gather(
        *(one.session.post(path, json={}, headers={"X-CSRF-Token": one.csrf}) for one in (above, stage.approver))
    )
    assert sorted(answer.status for answer in answers) == [200, 409]


async def test_second_editor_is_told_what_changed(stage: Stage) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(), status=201)
    path = f"/bulletins/{made['id']}"
    first = await stage.author.call("PUT", path, draft(title="Lịch tiêm mới") | {"revision": 1})
    assert first["revision"] == 2
    other = await browser(stage.running, "author")
    body = draft(targets=[f"{KE_SACH}/c01"]) | {"revision": 1}
    answer = await other.call("PUT", path, body, status=409)
    assert answer["error"]["differs"] == ["title", "targets"]
    assert answer["error"]["revision"] == 2


async def test_own_words_are_not_approved(stage: Stage) -> None:
    province = await browser(stage.running, "author")
    made = await province.call("POST", "/bulletins", draft(PROVINCE) | {"class": "priority"}, status=201)
    await province.call("POST", f"/bulletins/{made['id']}/submit", {})
    answer = await province.call("POST", f"/bulletins/{made['id']}/approve", {}, status=403)
    assert answer["error"]["code"] == "not_allowed"


async def test_rejection_needs_a_reason(stage: Stage) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(), status=201)
    await stage.author.call("POST", f"/bulletins/{made['id']}/submit", {})
    path = f"/bulletins/{made['id']}/reject"
    answer = await stage.approver.call("POST", path, {"reason": " "}, status=422)
    assert answer["error"]["code"] == "reason_missing"
    answer = await stage.approver.call("POST", path, {"reason": "Sai ngày tiêm"})
    assert (answer["state"], answer["reason"]) == ("rejected", "Sai ngày tiêm")


async def test_neighbour_sees_nothing(stage: Stage) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(), status=201)
    neighbour = await browser(stage.running, "tran-de")
    await neighbour.call("GET", f"/bulletins/{made['id']}", status=404)
    listed = await neighbour.call("GET", "/bulletins")
    assert listed == {"bulletins": [], "total": 0}


@pytest.mark.parametrize("body", [[], "text", 7])
async def test_body_that_is_no_object(stage: Stage, body: Any) -> None:
    answer = await stage.author.call("POST", "/bulletins", body, status=400)
    assert answer["error"]["code"] == "malformed"


async def test_approval_that_broke_off_half_way_never_happened(stage: Stage) -> None:
    made = await stage.author.call("POST", "/bulletins", draft(), status=201)
    path = f"/bulletins/{made['id']}"
    await stage.author.call("POST", f"{path}/submit", {})
    sync = stage.running.app[ENGINE].sync_engine

    def break_off(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO audit"):  # the last thing an approval writes
            raise ConnectionError("killed")

    event.listen(sync, "before_cursor_execute", break_off)
    await stage.approver.call("POST", f"{path}/approve", {}, status=500)
    event.remove(sync, "before_cursor_execute", break_off)
    assert (await stage.author.call("GET", path))["state"] == "submitted"
    assert (await stage.approver.call("POST", f"{path}/approve", {}))["state"] == "approved"
