"""The log's pages and export, in the running controller."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from controller.keys import CLOCK, ENGINE
from controller.store.engine import writing
from controller.store.schema import as_run
from tests.controller.running import KE_SACH, Hands, Person, RunningController
from tests.controller.signing.authorities import Ceremony, post, request_signature, signed
from tests.controller.signing.stage import approved, browser, draft, set_up

FIRST = "vn-92-31528-c01"


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    parts = ("web", "people", "units", "audit", "library", "broker", "signing", "bulletins", "schedules")
    return (*parts, "devices", "as_run")


async def add_run(running: RunningController, *, at: int, **fields: object) -> None:
    row = {
        "id": f"r{at}",
        "device": FIRST,
        "rung": 6,
        "source": "x",
        "began_ms": at,
        "ended_ms": at + 30_000,
        "end_reason": "complete",
        "level_cdb": -1800,
        **fields,
    }
    async with writing(running.app[ENGINE]) as connection:
        await connection.execute(insert(as_run).values(**row))


async def test_filter_by_kind_and_day(controller: RunningController) -> None:
    await set_up(controller)
    person, now = await browser(controller, "ke-sach"), controller.app[CLOCK]()
    await add_run(controller, at=now)
    await add_run(controller, at=now + 1, rung=3, source="microphone")
    await add_run(controller, at=now - 3 * 86_400_000)
    assert len(await person.call("GET", "/as-run")) == 2
    assert [one["rung"] for one in await person.call("GET", "/as-run?kind=microphone")] == [3]
    assert len(await person.call("GET", "/as-run?from=2020-01-01&to=2100-01-01")) == 3
    assert await (await browser(controller, "tran-de")).call("GET", "/as-run") == []
    await person.see("/log?unit=vn/92/31673", status=404)


async def test_formula_in_export_is_harmless(controller: RunningController) -> None:
    await set_up(controller)
    person = await browser(controller, "ke-sach")
    await add_run(controller, at=controller.app[CLOCK](), stopped_by='=HYPERLINK("http://evil")', level_cdb=-1850)
    table = await person.see("/log.csv")
    assert "'=HYPERLINK" in table and ",-18.5," in table


async def test_planned_and_silent_is_red(controller: RunningController, hands: Hands) -> None:
    ceremony = await set_up(controller)
    author, approver = await browser(controller, "ke-sach"), await browser(controller, "ke-sach-2")
    bulletin = await sign_now(controller, ceremony, author, approver)
    start = bulletin["when"]["start_ms"]
    hands.passed_ms += 10 * 60_000
    page = await author.see("/log/missed")
    assert bulletin["title"] in page and "Cụm loa 01" in page
    await add_run(controller, at=start, item=bulletin["id"], start_ms=start)
    page = await author.see("/log/missed")
    assert "Cụm loa 01" not in page and "Cụm loa 02" in page


async def sign_now(
    controller: RunningController, ceremony: Ceremony, author: Person, approver: Person
) -> dict[str, Any]:
    """A bulletin for now, approved and signed."""
    bulletin = await approved(author, approver, draft())
    envelope = signed(await request_signature(author, KE_SACH), ceremony.ke_sach)
    await post(controller.stranger(), envelope)
    shown: dict[str, Any] = await author.call("GET", f"/bulletins/{bulletin['id']}")
    return shown
