"""The database: migrations make exactly the schema, writers wait for each other, scopes are compared by segment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.config import Config
from controller.store.engine import migrate, open_engine, reading, writing
from controller.store.schema import counters, metadata, roles
from controller.store.scope import within
from protocol.units import UnitPath


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(Config(data=tmp_path).database_url)
    await migrate(engine)
    yield engine
    await engine.dispose()


def _differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_migrations_make_the_schema(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        found = await connection.run_sync(_differences)
    assert not found, "schema.py changed: add a migration in controller/store/migrations/versions"


async def test_second_start_changes_nothing(engine: AsyncEngine) -> None:
    await migrate(engine)


async def test_two_writers_that_read_first_both_succeed(engine: AsyncEngine) -> None:
    async with writing(engine) as connection:
        await connection.execute(insert(counters).values(scope="vn", name="version", value=0))

    async def count_up() -> None:
        async with writing(engine) as connection:
            value = await connection.scalar(select(counters.c.value)) or 0
            await asyncio.sleep(0)
            await connection.execute(update(counters).values(value=value + 1))

    await asyncio.gather(*(count_up() for _ in range(5)))
    async with reading(engine) as connection:
        assert await connection.scalar(select(counters.c.value)) == 5


async def test_reader_does_not_wait_for_a_writer(engine: AsyncEngine) -> None:
    async with writing(engine) as busy, reading(engine) as connection:
        await busy.execute(insert(counters).values(scope="vn", name="version", value=0))
        assert await connection.scalar(select(counters.c.value)) is None


async def test_failed_work_leaves_nothing_behind(engine: AsyncEngine) -> None:
    with pytest.raises(IntegrityError):
        async with writing(engine) as connection:
            await connection.execute(insert(counters).values(scope="vn", name="version", value=0))
            await connection.execute(insert(roles).values(account_id=7, role="author", scope="vn"))
    async with reading(engine) as connection:
        assert await connection.scalar(select(counters.c.value)) is None


async def test_scope_is_compared_by_segment(engine: AsyncEngine) -> None:
    places = ["vn/9", "vn/9/1", "vn/92", "vn/92/31528", "vn/9-1"]
    async with writing(engine) as connection:
        await connection.execute(insert(counters), [{"scope": one, "name": "v", "value": 0} for one in places])

    async def found(*scopes: str) -> list[str]:
        query = select(counters.c.scope).where(within(counters.c.scope, [UnitPath(one) for one in scopes]))
        async with reading(engine) as connection:
            return sorted((await connection.scalars(query)).all())

    assert await found("vn/9") == ["vn/9", "vn/9/1"]
    assert await found("vn/92", "vn/9/1") == ["vn/9/1", "vn/92", "vn/92/31528"]
    assert await found() == []
