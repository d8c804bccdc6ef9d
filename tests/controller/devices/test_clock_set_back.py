"""The controller's clock ran ahead and is put right: nothing waits until the false time comes true."""

from __future__ import annotations

from controller.devices.announcer import Announcer
from controller.devices.clone import CloneWatch
from controller.devices.domain import Reach, reach
from controller.devices.ingest import Ingest
from controller.devices.live import Roster
from controller.devices.queries import Enrolled, add_device
from controller.store.engine import writing
from controller.web.events import EventHub
from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.report import Status
from protocol.topics import up_topic
from protocol.units import UnitPath
from simulators.world.database import Database

PLACE = UnitPath("vn/92/31498/c07")
NOW = WallMs(1_800_000_000_000)
AHEAD = WallMs(NOW + 100 * DAY_MS)


def test_silent_device_is_not_online_for_months() -> None:
    assert reach(link_up=True, seen=AHEAD, now=NOW, heartbeat_ms=60_000) is Reach.LOST


def test_slewed_clock_loses_nobody() -> None:
    assert reach(link_up=True, seen=WallMs(NOW + 20), now=NOW, heartbeat_ms=60_000) is Reach.ONLINE


def test_old_connections_are_no_sign_of_copy() -> None:
    watch = CloneWatch()
    for number in range(9):
        watch.connected(now=AHEAD + number * DAY_MS)
    assert watch.connected(now=NOW) is None


def test_pages_are_told_again() -> None:
    hub, roster, wall = EventHub(), Roster(heartbeat_ms=60_000), [AHEAD]
    roster.renew([Enrolled("c07", PLACE, "c07")])
    announcer = Announcer(hub, roster, lambda: wall[0])
    announcer.device("c07")
    announcer._round(wall[0])
    wall[0] = NOW
    announcer.device("c07")
    announcer._round(wall[0])
    assert not announcer._levels


async def test_newcomer_is_admitted() -> None:
    database, wall = Database(), [AHEAD]
    engine = database.open().engine

    async def confirm(*_: object) -> None:
        pass

    roster = Roster(heartbeat_ms=60_000)
    announcer = Announcer(EventHub(), roster, lambda: wall[0])
    ingest = Ingest(engine, roster, announcer, lambda: wall[0], confirm=confirm)
    await ingest.renew_roster()
    wall[0] = NOW
    async with writing(engine) as connection:
        await add_device(connection, Enrolled("c07", PLACE, "c07"), token="", now=NOW)
    status = Status("c07", PLACE, NOW, 9, -12000, "agreed", "1", "b", 0, 0)
    ingest.receive(up_topic("c07", Status), codec.encode(status), False)
    await ingest._drain()
    known = roster.get("c07")
    assert known is not None
    assert known.status is not None
