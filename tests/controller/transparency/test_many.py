"""Years of documents: the page and the checkpoint stay quick."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import insert

from controller.keys import ENGINE
from controller.store.engine import writing
from controller.store.schema import log_entries
from controller.transparency.notary import Notary
from protocol.clock import WallMs
from protocol.hash_chain import EMPTY, follow, next_entry
from tests.controller.running import KE_SACH, RunningController
from tests.controller.signing.authorities import Ceremony, post
from tests.controller.transparency.conftest import alert, english

pytestmark = pytest.mark.slow
COUNT = 10_000
PAGE_S_MAX = 2.0
"""Four times what it takes here, because other tests run beside it."""


async def fill(controller: RunningController) -> None:
    state, rows = EMPTY, []
    for number in range(COUNT):
        entry = next_entry(state, digest=f"{number:064x}", kind="alert", scope=KE_SACH, stored=WallMs(number))
        state = follow(state, [entry])
        rows.append(
            {
                "position": entry.index,
                "digest": entry.digest,
                "kind": entry.kind,
                "scope": entry.scope,
                "stored_ms": entry.stored,
                "previous": entry.previous,
                "hash": entry.hash,
            }
        )
    async with writing(controller.app[ENGINE]) as connection:
        await connection.execute(insert(log_entries), rows)


async def test_ten_thousand_entries(controller: RunningController, filled_log: Notary, ceremony: Ceremony) -> None:
    person = await english(controller, "technician")
    took = {}
    for name, path in (("first", "/log"), ("again", "/log"), ("search", f"/log?find={5:064x}"), ("home", "")):
        began = time.perf_counter()
        await person.see(f"/transparency{path}")
        took[name] = round(time.perf_counter() - began, 3)
    began = time.perf_counter()
    assert len((await person.see("/transparency/log.jsonl")).splitlines()) == COUNT + 4
    took["download"] = round(time.perf_counter() - began, 3)
    began = time.perf_counter()
    await filled_log.inspect()
    took["inspect"] = round(time.perf_counter() - began, 3)
    began = time.perf_counter()
    await post(controller.stranger(), alert(controller, ceremony.ke_sach))
    took["accept"] = round(time.perf_counter() - began, 3)
    print(took)
    assert max(took.values()) < PAGE_S_MAX, took


@pytest.fixture
async def filled_log(controller: RunningController, notary: Notary) -> Notary:
    """A log from long before."""
    await fill(controller)
    return notary
