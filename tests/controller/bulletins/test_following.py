"""Bulletins follow the clock: what has sounded ends, what nobody signed in time is named, offers lapse."""

from __future__ import annotations

from typing import Any

from controller.bulletins.following import end_now
from controller.keys import CLOCK
from tests.controller.running import KE_SACH, PROVINCE, Hands
from tests.controller.signing.authorities import post, request_signature, signed
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import approved, browser, draft

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


def in_an_hour(stage: Stage) -> dict[str, Any]:
    return {"kind": "once", "start_ms": stage.running.app[CLOCK]() + HOUR_MS}


async def state_of(stage: Stage, bulletin: dict[str, Any]) -> str:
    await end_now(stage.running.app)
    return str((await stage.author.call("GET", f"/bulletins/{bulletin['id']}"))["state"])


async def sign(stage: Stage) -> None:
    request = await request_signature(stage.operator, KE_SACH)
    [result] = await post(stage.stranger, signed(request, stage.ceremony.ke_sach))
    assert result["state"] == "accepted", result


async def test_ends_after_its_last_sound(stage: Stage, hands: Hands) -> None:
    bulletin = await approved(stage.author, stage.approver, draft(when=in_an_hour(stage)))
    await sign(stage)
    hands.passed_ms += HOUR_MS + 60_000
    assert await state_of(stage, bulletin) == "in_force"
    hands.passed_ms += 2 * 60_000
    assert await state_of(stage, bulletin) == "ended"
    request = await request_signature(stage.operator, KE_SACH)
    assert (request["summary"]["items"], request["summary"]["removed"]) == (0, [])


async def test_now_ends_after_the_second_that_was_signed(stage: Stage, hands: Hands) -> None:
    bulletin = await approved(stage.author, stage.approver, draft())
    await sign(stage)
    hands.passed_ms += 10 * 60_000
    assert await state_of(stage, bulletin) == "ended"


async def test_not_signed_in_time_is_said(stage: Stage, hands: Hands) -> None:
    bulletin = await approved(stage.author, stage.approver, draft(when=in_an_hour(stage)))
    hands.passed_ms += 2 * HOUR_MS
    assert await state_of(stage, bulletin) == "ended"
    text = await stage.author.see(f"/bulletins/{bulletin['id']}")
    assert "Không ký kịp" in text
    assert "không loa nào phát" in text


async def test_offer_lapses_a_week_after_its_time(stage: Stage, hands: Hands) -> None:
    province, approver = await browser(stage.running, "author"), await browser(stage.running, "approver")
    await approved(province, approver, draft(PROVINCE, when=in_an_hour(stage)))
    for passed_ms, offers in ((6 * DAY_MS, 1), (2 * DAY_MS, 0)):
        hands.passed_ms += passed_ms
        await end_now(stage.running.app)
        officer = await browser(stage.running, "ke-sach")
        assert (await officer.call("GET", "/bulletins?state=offered"))["total"] == offers


async def test_exact_start_five_seconds_ahead_can_be_signed(stage: Stage) -> None:
    when = {"kind": "once", "start_ms": stage.running.app[CLOCK]() + 8000}
    bulletin = await approved(stage.author, stage.approver, draft(when=when))
    await sign(stage)
    shown = await stage.author.call("GET", f"/bulletins/{bulletin['id']}")
    assert (shown["state"], shown["when"]["start_ms"]) == ("in_force", when["start_ms"])
