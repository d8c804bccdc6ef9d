"""Looks at one row: as true as the long way, and never open longer than the engine."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.devices.identity import revoke
from controller.devices.queries import Enrolled, add_device
from controller.devices.recognised import recognised_by_id, recognised_by_token
from controller.store import glance as module
from controller.store.engine import migrate, open_engine, writing
from controller.store.glance import glance
from controller.store.schema import devices
from protocol.clock import WallMs
from protocol.units import UnitPath

WHO = Enrolled("dev-1", UnitPath("vn/92/31498/dev-1"), "Loa", lat=10.5)
ASKED = select(devices.c.id).where(devices.c.id == bindparam("device"))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'controller.db'}")
    await migrate(engine)
    async with writing(engine) as connection:
        await add_device(connection, WHO, token="secret", now=WallMs(1))
    yield engine
    await engine.dispose()


async def test_device_is_recognised_by_token_and_id(engine: AsyncEngine) -> None:
    assert await recognised_by_token(engine, "secret") == WHO
    assert await recognised_by_id(engine, "dev-1") == WHO
    assert await recognised_by_token(engine, "guessed") is None
    assert await recognised_by_id(engine, "dev-2") is None


async def test_what_was_taken_away_a_moment_ago_opens_nothing(engine: AsyncEngine) -> None:
    assert await recognised_by_token(engine, "secret") == WHO
    async with writing(engine) as connection:
        await revoke(connection, "dev-1", now=WallMs(2))
        assert await recognised_by_token(engine, "secret") == WHO, "not before it is committed"
    assert await recognised_by_token(engine, "secret") is None


async def test_look_is_closed_with_the_engine_and_opened_again(engine: AsyncEngine) -> None:
    assert await glance(engine, ASKED, device="dev-1") == {"id": "dev-1"}
    opened = module._open[engine.sync_engine]
    await engine.dispose()
    with pytest.raises(sqlite3.ProgrammingError):
        opened.execute("SELECT 1")
    assert await glance(engine, ASKED, device="dev-1") == {"id": "dev-1"}


async def test_failing_look_asks_the_long_way(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(":memory:") as empty:
        monkeypatch.setitem(module._open, engine.sync_engine, empty)
        found = await glance(engine, ASKED, device="dev-1")
    empty.close()
    assert found is not None
    assert found["id"] == "dev-1"


async def test_engine_without_a_file_asks_the_long_way() -> None:
    engine = open_engine("sqlite+aiosqlite://")
    assert module._connection(engine.sync_engine) is None
    await engine.dispose()
    await asyncio.sleep(0)
