"""The controller's disk is full: it starts, takes in what devices say, tells its log once, and stores it later."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from controller.devices import ingest as taking_in
from controller.devices.announcer import Announcer
from controller.devices.ingest import Ingest
from controller.devices.live import Roster
from controller.devices.queries import Enrolled, add_device
from controller.devices.remembering import remember
from controller.store.engine import reading, writing
from controller.store.schema import as_run
from controller.web.events import EventHub
from protocol import codec
from protocol.clock import WallMs
from protocol.report import AsRun, EndReason
from protocol.topics import up_topic
from protocol.units import UnitPath
from simulators.world.database import Database

PLACE = UnitPath("vn/92/31498/c07")


class Office:
    """What takes in reports, on a database that can be filled."""

    def __init__(self) -> None:
        self.database = Database()
        self.engine: AsyncEngine = self.database.open().engine
        self.roster = Roster(heartbeat_ms=60_000)
        announcer = Announcer(EventHub(), self.roster, lambda: WallMs(1_000_000))
        self.confirmed: list[str] = []
        self.ingest = Ingest(
            self.engine, self.roster, announcer, lambda: WallMs(1_000_000), confirm=self.confirm, batch_s=0.0
        )

    async def confirm(self, device: str, reports: object) -> None:
        self.confirmed.append(device)

    async def open(self) -> None:
        async with writing(self.engine) as connection:
            await add_device(connection, Enrolled("c07", PLACE, "c07"), token="", now=WallMs(1))
        await self.ingest.renew_roster()

    def say(self, number: int) -> None:
        run = AsRun(f"r{number}", "c07", 6, "a" * 64, WallMs(1), WallMs(2), EndReason.COMPLETE, -2000)
        self.ingest.receive(up_topic("c07", AsRun), codec.encode(run), False)

    async def stored(self) -> int:
        async with reading(self.engine) as connection:
            return await connection.scalar(select(func.count()).select_from(as_run)) or 0


async def test_full_disk_fills_no_log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking_in, "RETRY_S", 0.001)
    office = Office()
    await office.open()
    office.database.full = True
    working = asyncio.create_task(office.ingest.run())
    office.say(1)
    async with asyncio.timeout(5):
        while office.ingest._failures < 4:
            await asyncio.sleep(0.001)
        assert [one.levelno for one in caplog.records if one.levelno > logging.DEBUG] == [logging.ERROR]
        assert office.confirmed == []
        office.say(2)
        office.database.full = False
        while await office.stored() < 2:
            await asyncio.sleep(0.001)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert office.confirmed == ["c07", "c07"]


async def test_controller_starts_on_a_full_disk() -> None:
    office = Office()
    await office.open()
    async with writing(office.engine) as connection:
        await connection.exec_driver_sql("UPDATE devices SET online = 1")
    office.database.full = True
    await remember(office.engine, office.ingest, office.roster)
    assert office.roster.get("c07") is not None


async def test_broken_read_does_not_end_the_taking_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking_in, "RETRY_S", 0.001)
    office = Office()
    working = asyncio.create_task(office.ingest.run())
    opened = office.ingest._engine
    broken = office.database.open()
    broken.die()
    office.ingest._engine = broken.engine
    office.say(1)  # from nobody who is known, so it is looked up
    async with asyncio.timeout(5):
        while not office.ingest._failures:
            await asyncio.sleep(0.001)
        async with writing(opened) as connection:
            await add_device(connection, Enrolled("c07", PLACE, "c07"), token="", now=WallMs(1))
        office.ingest._engine = opened
        while await office.stored() < 1:
            await asyncio.sleep(0.001)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_reports_of_days_wait_together(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_in, "RETRY_S", 0.0)
    office = Office()
    await office.open()
    office.database.full = True
    for number in range(300):
        office.say(number)
        await office.ingest._drain()
    assert office.ingest.dropped == 0
    office.database.full = False
    await office.ingest._drain()
    assert await office.stored() == 300
    assert len([one for one in caplog.records if one.levelno > logging.DEBUG]) == 1
