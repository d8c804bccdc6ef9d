"""What a device's question costs when there is nothing new: it is asked 1,700 times a day, by SIM."""

from __future__ import annotations

from tests.controller.running import KE_SACH
from tests.controller.signing.conftest import Stage
from tests.controller.signing.stage import token

DEVICE = f"{KE_SACH}/c01".replace("/", "-")
HEADERS_BYTES_MAX = 120


async def test_nothing_new_is_told_in_few_bytes(stage: Stage) -> None:
    session, bearer = stage.stranger.session, {"Authorization": f"Bearer {token(DEVICE)}"}
    query = {"place": f"{KE_SACH}/c01", "cursor": "", "wait": "0"}
    async with session.get("/device/v1/documents", params=query, headers=bearer) as answer:
        query["cursor"] = (await answer.json())["cursor"]
    async with session.get("/device/v1/documents", params=query, headers=bearer) as answer:
        assert answer.status == 204
        told = sum(len(name) + len(value) + 4 for name, value in answer.raw_headers)
    assert told <= HEADERS_BYTES_MAX


async def test_pages_keep_their_policy(stage: Stage) -> None:
    async with stage.stranger.session.get("/sign-in") as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
