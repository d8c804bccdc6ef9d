"""The calendar's feed, the preview and the order of priority bulletins, through the running controller."""

from __future__ import annotations

import base64
import json
from typing import Any

from controller.keys import CLOCK
from protocol.clock import DAY_MS, WallMs, local_datetime
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE
from tests.controller.signing.authorities import post, request_signature, signed
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import approved, browser, draft


def tomorrow(stage: Stage, time: str) -> dict[str, Any]:
    now = stage.running.app[CLOCK]()
    return {"kind": "once", "date": local_datetime(WallMs(now + DAY_MS)).date().isoformat(), "time": time}


async def sign(stage: Stage) -> None:
    request = await request_signature(stage.operator, KE_SACH)
    [result] = await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert result["state"] == "accepted", result


async def from_above(stage: Stage, **changes: Any) -> dict[str, Any]:
    province, approver = await browser(stage.running, "author"), await browser(stage.running, "approver")
    return await approved(province, approver, draft(PROVINCE, **changes) | {"class": "priority"})


async def entries(stage: Stage, query: str = "") -> list[tuple[str, str, int]]:
    found = (await stage.author.call("GET", f"/calendar{query}"))["entries"]
    return [(one["title"], one["standing"], one["loudspeakers"]) for one in found]


async def test_entry_goes_from_unsigned_to_signed_to_leaving(stage: Stage) -> None:
    done = await approved(stage.author, stage.approver, draft(title="Tin", when=tomorrow(stage, "17:00")))
    assert await entries(stage) == [("Tin", "unsigned", 4)]
    await sign(stage)
    assert await entries(stage) == [("Tin", "signed", 4)]
    await stage.author.call("POST", f"/bulletins/{done['id']}/withdraw", {})
    assert await entries(stage) == [("Tin", "leaving", 4)]
    await sign(stage)
    assert await entries(stage) == []


async def test_commune_sees_priority_from_above(stage: Stage) -> None:
    await from_above(stage, title="Triều cường", when=tomorrow(stage, "17:00"))
    assert await entries(stage) == [("Triều cường", "unsigned", 4)]
    assert await entries(stage, f"?unit={KE_SACH}/c01") == [("Triều cường", "unsigned", 1)]


async def test_offer_is_not_planned(stage: Stage) -> None:
    province, approver = await browser(stage.running, "author"), await browser(stage.running, "approver")
    await approved(province, approver, draft(PROVINCE, when=tomorrow(stage, "17:00")))
    assert await entries(stage) == []


async def test_neighbours_calendar_stays_theirs(stage: Stage) -> None:
    await approved(stage.author, stage.approver, draft(when=tomorrow(stage, "17:00")))
    neighbour = await browser(stage.running, "tran-de")
    assert (await neighbour.call("GET", f"/calendar?unit={KE_SACH}"))["entries"] == []


async def test_span_is_bounded(stage: Stage) -> None:
    now = stage.running.app[CLOCK]()
    answer = await stage.author.call("GET", f"/calendar?from={now}&to={now + 46 * DAY_MS}", status=400)
    assert answer["error"]["code"] == "wrong_span"


async def test_preview_tells_starts_reach_and_meetings(stage: Stage) -> None:
    await from_above(stage, title="Triều cường", when=tomorrow(stage, "17:00"))
    now = local_datetime(stage.running.app[CLOCK]())
    weekly = {
        "kind": "weekly",
        "time": "17:01",
        "days": [1, 2, 3, 4, 5, 6, 7],
        "first_date": now.date().isoformat(),
        "last_date": local_datetime(WallMs(stage.running.app[CLOCK]() + 20 * DAY_MS)).date().isoformat(),
    }
    seen = await stage.author.call("POST", "/preview", draft(when=weekly))
    assert (seen["loudspeakers"], len(seen["starts"]), seen["beyond"]) == (4, 8, 13)
    meetings = [one["collisions"] for one in seen["starts"] if one["collisions"]]
    assert [(one["title"], one["outcome"]) for one in meetings[0]] == [("Triều cường", "after")]
    assert [one["code"] for one in seen["problems"]] == ["overlaps"]


async def test_preview_of_an_unfinished_draft(stage: Stage) -> None:
    seen = await stage.author.call("POST", "/preview", {"unit": KE_SACH, "title": "", "targets": [KE_SACH]})
    assert seen["loudspeakers"] == 4
    assert [one["code"] for one in seen["problems"]] == ["title_missing", "content_missing", "time_missing"]


async def test_preview_from_above_says_it_is_an_offer(stage: Stage) -> None:
    province = await browser(stage.running, "author")
    seen = await province.call("POST", "/preview", draft(PROVINCE, targets=[KE_SACH, TRAN_DE]))
    assert (seen["offered"], seen["loudspeakers"]) == (True, 8)


async def test_commune_orders_priority_and_signs_it(stage: Stage) -> None:
    above = await from_above(stage, title="Triều cường", when=tomorrow(stage, "17:00"))
    body = draft(title="Của xã", when=tomorrow(stage, "17:01")) | {"class": "priority"}
    own = await approved(stage.author, stage.approver, body)
    text = await stage.operator.see("/schedule/precedence")
    assert text.index("Triều cường") < text.index("Của xã")
    name = f"{KE_SACH}#{own['id']}"
    await stage.operator.send("/schedule/precedence", {"unit": KE_SACH, "name": name, "move": "up"})
    text = await stage.operator.see("/schedule/precedence")
    assert text.index("Của xã") < text.index("Triều cường")
    request = await request_signature(stage.operator, KE_SACH)
    payload = json.loads(base64.b64decode(request["payload"]))
    assert payload["precedence"] == [name, f"{PROVINCE}#{above['id']}"]
    assert request["summary"]["reordered"]


async def test_pages_of_the_week_open(stage: Stage) -> None:
    await approved(stage.author, stage.approver, draft(title="Tin tuần này"))
    for path in ("/schedule", "/schedule/next", "/"):
        assert "Tin tuần này" in await stage.author.see(path)
    await stage.approver.see("/schedule/precedence", status=403)
