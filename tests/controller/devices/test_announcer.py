"""Open pages are told at most twice a second about one device, and always of its newest state."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from controller.devices.announcer import INTERVAL_MS, Announcer
from controller.devices.live import Roster
from controller.devices.queries import Enrolled
from controller.people.domain import HeldRole, Role, Viewer
from controller.web.events import EventHub, Subscription
from protocol.clock import WallMs
from protocol.report import Level, Status
from protocol.units import UnitPath

PLACE = UnitPath("vn/92/1/c1")
VIEWER = Viewer(1, "a", "A", "vi", (HeldRole(Role.AUDITOR, UnitPath("vn/92")),))


class Bench:
    """An announcer with a clock in hand."""

    def __init__(self) -> None:
        self.now = WallMs(1_000_000)
        self.hub = EventHub()
        self.roster = Roster(heartbeat_ms=5000)
        self.roster.renew([Enrolled("c1", PLACE, "Ấp 1")])
        self.announcer = Announcer(self.hub, self.roster, lambda: self.now)

    def status(self, rung: int) -> None:
        device = self.roster.get("c1")
        assert device is not None
        level = Level(self.now, rung, -1800)
        status = Status("c1", PLACE, self.now, rung, -1800, "agreed", "1", "b", 0, 0, levels=(level,))
        self.announcer.device("c1", device.take(status, now=self.now))

    def round(self) -> None:
        self.announcer._round(self.now)


async def told(subscription: Subscription) -> list[dict[str, Any]]:
    found = []
    while line := await subscription.next(within_s=0.01):
        found.append(json.loads(line))
    return found


async def test_many_changes_are_one_event() -> None:
    bench = Bench()
    async with bench.hub.subscribe(VIEWER) as page:
        for rung in (6, 5, 2):
            bench.now = WallMs(bench.now + 10)
            bench.status(rung)
        bench.round()
        [event] = await told(page)
        assert (event["type"], event["rung"], len(event["levels"])) == ("device", 2, 3)
        bench.status(9)
        bench.round()
        assert await told(page) == []
        bench.now = WallMs(bench.now + INTERVAL_MS)
        bench.round()
        assert [one["rung"] for one in await told(page)] == [9]


async def test_standing_is_told_to_its_unit_only() -> None:
    bench = Bench()
    stranger = Viewer(2, "b", "B", "vi", (HeldRole(Role.AUDITOR, UnitPath("vn/92/2")),))
    async with bench.hub.subscribe(VIEWER) as page, bench.hub.subscribe(stranger) as other:
        bench.announcer.standing("d", "item", UnitPath("vn/92/1"))
        bench.announcer.standing("d", "item", UnitPath("vn/92/1"))
        bench.round()
        [event] = await told(page)
        assert (event["document"], event["item"]) == ("d", "item")
        assert await told(other) == []


async def test_silent_device_is_told_as_lost() -> None:
    bench = Bench()
    bench.status(6)
    bench.now = WallMs(bench.now + 60_000)
    async with bench.hub.subscribe(VIEWER) as page:
        bench.announcer.device("c1")
        bench.round()
        assert [one["reach"] for one in await told(page)] == ["lost"]
        await asyncio.sleep(0)
