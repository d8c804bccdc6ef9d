"""The database's disk is full: it is said, nothing is half stored, and pages can still be read."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, event

from controller.keys import ENGINE
from tests.controller.running import KE_SACH, Hands, RunningController

pytestmark = pytest.mark.slow

DRAFTS_MAX = 200
"""Far more than fit into the pages that the database has already."""


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return ("web", "people", "units", "audit", "broker", "signing", "bulletins", "schedules")


def fill_disk(controller: RunningController) -> None:
    def no_more_pages(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes its present size for the limit

    event.listen(controller.app[ENGINE].sync_engine, "begin", no_more_pages)


async def test_full_disk_is_said_and_nothing_is_half_stored(controller: RunningController) -> None:
    author = await controller.person("ke-sach")
    fill_disk(controller)
    stored = 0
    for number in range(DRAFTS_MAX):
        answer = await author.send("/bulletins/new", {"unit": KE_SACH, "title": f"Bản tin {number} " + "a" * 150})
        if answer.status != 200:
            break
        stored += 1
    assert answer.status == 507
    assert "đã đầy nên chưa lưu được gì" in answer.text
    listed = await author.call("GET", "/bulletins?limit=200")
    assert listed["total"] == stored


async def test_pages_are_read_although_the_session_cannot_be_prolonged(
    controller: RunningController, hands: Hands
) -> None:
    author = await controller.person("ke-sach")

    def no_writing(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    event.listen(controller.app[ENGINE].sync_engine, "begin", no_writing)
    hands.passed_ms += 3_600_000
    await author.see("/bulletins")
