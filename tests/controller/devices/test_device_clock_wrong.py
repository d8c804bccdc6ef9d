"""A device whose clock was wrong when it started: its page follows it, and faults of former starts come to an end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from controller.devices.announcer import Announcer
from controller.devices.ingest import Ingest
from controller.devices.live import DeviceNow, Roster
from controller.devices.queries import Enrolled, add_device
from controller.store.engine import writing
from controller.store.schema import faults
from controller.web.events import EventHub
from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.report import Fault, FaultCode, Level, Report, Status
from protocol.topics import up_topic
from protocol.units import UnitPath
from simulators.world.database import Database

PLACE = UnitPath("vn/92/31498/c07")
NOW = WallMs(1_800_000_000_000)
BOX = Enrolled("c07", PLACE, "c07")


def status(wall: int, *codes: FaultCode, clock: str = "agreed", boot: str = "two") -> Status:
    return Status("c07", PLACE, WallMs(wall), 9, -12_000, clock, "1", boot, 0, 0, faults=codes)


@pytest.mark.parametrize("clock", ["none", "agreed"])
def test_page_follows_a_device_that_found_out_the_hour(clock: str) -> None:
    device = DeviceNow(BOX)
    device.take(status(NOW + DAY_MS, FaultCode.CLOCK_NOT_TRUSTED, clock=clock), now=NOW)
    device.take(status(NOW), now=NOW)
    assert device.status is not None
    assert device.status.faults == ()


def test_status_that_comes_late_changes_nothing() -> None:
    device = DeviceNow(BOX)
    device.take(status(NOW), now=NOW)
    device.take(status(NOW - 60_000, FaultCode.CARD_LOST), now=NOW)
    assert device.status == status(NOW)


def test_levels_of_an_unknown_hour_are_of_now() -> None:
    device, wrong = DeviceNow(BOX), NOW + DAY_MS
    spoken = replace(status(wrong, clock="none"), levels=(Level(WallMs(wrong - 1000), 2, -1800),))
    assert device.take(spoken, now=NOW) == (Level(WallMs(NOW - 1000), 2, -1800),)
    device.levels.append(Level(WallMs(wrong), 2, -1800))
    later = WallMs(NOW + 5000)
    assert device.take(status(later), now=later) == (Level(later, 9, -12_000),)
    assert [one.wall for one in device.levels] == [NOW - 1000, later]


async def _open_faults(*reports: Report) -> list[Any]:
    """What is still open when these have come, each stored by itself."""
    database = Database()
    engine = database.open().engine

    async def confirm(*_: object) -> None:
        pass

    roster = Roster(heartbeat_ms=60_000)
    roster.renew([BOX])
    ingest = Ingest(engine, roster, Announcer(EventHub(), roster, lambda: NOW), lambda: NOW, confirm=confirm)
    async with writing(engine) as connection:
        await add_device(connection, BOX, token="", now=NOW)
    for report in reports:
        ingest.receive(up_topic("c07", type(report)), codec.encode(report), False)
        await ingest._drain()
    async with engine.connect() as connection:
        rows = await connection.execute(select(faults).where(faults.c.ended_ms.is_(None)))
        return [row.code for row in rows]


async def test_fault_of_a_former_start_ends_with_the_next_status() -> None:
    """Offline for a day and through power cuts: letters of what had begun come after the first status."""
    began = Fault("c07", FaultCode.CARD_LOST, WallMs(NOW - DAY_MS))
    assert await _open_faults(status(NOW - 1000), began) == ["card_lost"]
    assert await _open_faults(status(NOW - 1000), began, status(NOW)) == []


async def test_fault_that_holds_stays_open() -> None:
    began = Fault("c07", FaultCode.CARD_LOST, WallMs(NOW - 2000))
    held = [status(one, FaultCode.CARD_LOST) for one in (NOW - 1000, NOW)]
    assert await _open_faults(began, *held) == ["card_lost"]


async def test_fault_newer_than_the_status_stays_open() -> None:
    assert await _open_faults(Fault("c07", FaultCode.CARD_LOST, NOW), status(NOW - 1000)) == ["card_lost"]


async def test_fault_of_a_false_hour_ends() -> None:
    ahead = Fault("c07", FaultCode.CARD_LOST, WallMs(NOW + DAY_MS))
    assert await _open_faults(ahead, status(NOW)) == []
