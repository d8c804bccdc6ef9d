"""The controller's database in virtual time: real SQL, commits that count, and a disk that can be full."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from controller.devices.queries import Enrolled, add_device, all_devices
from controller.store.engine import reading, writing
from protocol.clock import WallMs
from protocol.units import UnitPath
from simulators.world.database import Database, Doom, Opened
from tests.simulators.world.virtual import run


async def add(opened: Opened, name: str) -> None:
    async with writing(opened.engine) as connection:
        await add_device(connection, Enrolled(name, UnitPath(f"vn/92/{name}"), name), token="", now=WallMs(1))


async def names(opened: Opened) -> list[str]:
    async with reading(opened.engine) as connection:
        return [one.id for one in await all_devices(connection)]


def test_committed_outlives_a_crash_and_the_rest_does_not() -> None:
    async def story() -> list[str]:
        database = Database()
        opened = database.open()
        await add(opened, "a")
        with pytest.raises(SQLAlchemyError):
            async with writing(opened.engine) as connection:
                await add_device(connection, Enrolled("b", UnitPath("vn/92/b"), "b"), token="", now=WallMs(1))
                opened.die()
        with pytest.raises(SQLAlchemyError):
            await add(opened, "c")
        return await names(database.open())

    assert run(story()) == ["a"]


@pytest.mark.parametrize(("doom", "found"), [(Doom.BEFORE_COMMIT, []), (Doom.AFTER_COMMIT, ["a"])])
def test_computer_dies_beside_a_commit(doom: Doom, found: list[str]) -> None:
    async def story() -> tuple[list[str], int]:
        database, died = Database(), []
        opened = database.open(died=lambda: died.append(1))
        opened.doom = doom
        assert await names(opened) == [], "reading kills nobody"
        with pytest.raises(SQLAlchemyError):
            await add(opened, "a")
        return await names(database.open()), len(died)

    assert run(story()) == (found, 1)


def test_full_disk_takes_nothing_and_still_reads() -> None:
    async def story() -> list[str]:
        database = Database()
        opened = database.open()
        await add(opened, "a")
        database.full = True
        with pytest.raises(OperationalError, match="full"):
            await add(opened, "b")
        assert await names(opened) == ["a"]
        database.full = False
        await add(opened, "c")
        return await names(opened)

    assert run(story()) == ["a", "c"]


def test_backup_is_what_was_committed() -> None:
    async def story() -> list[str]:
        database = Database()
        opened = database.open()
        await add(opened, "a")
        image = database.image()
        await add(opened, "b")
        opened.die()
        database.restore(image)
        return await names(database.open())

    assert run(story()) == ["a"]


def test_many_at_once_do_not_disturb_each_other() -> None:
    async def story() -> list[str]:
        opened = Database().open()
        work = (add(opened, f"d{number}") if number % 2 else names(opened) for number in range(40))
        await asyncio.gather(*work)
        return await names(opened)

    assert len(run(story())) == 20


def test_transaction_that_waits_is_found_out() -> None:
    async def story() -> None:
        opened = Database().open()

        async def slow() -> None:
            async with writing(opened.engine) as connection:
                await add_device(connection, Enrolled("a", UnitPath("vn/92/a"), "a"), token="", now=WallMs(1))
                await asyncio.sleep(1)

        waiting = asyncio.ensure_future(slow())
        await asyncio.sleep(0.5)
        with pytest.raises(RuntimeError, match="waits"):
            await add(opened, "b")
        waiting.cancel()

    run(story())
