"""Tells open pages about devices: the newest state of each, at most twice a second for one device."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from controller.devices.live import DeviceNow, Roster, facts
from controller.ports import Clock
from controller.web.events import EventHub
from protocol.report import Level
from protocol.units import UnitPath

INTERVAL_MS: Final = 500
ROUND_S: Final = 0.1


class Announcer:
    """Collects what changed and publishes it to the event hub."""

    def __init__(self, hub: EventHub, roster: Roster, clock: Clock) -> None:
        self._hub = hub
        self._roster = roster
        self._clock = clock
        self._levels: dict[str, list[Level]] = {}
        self._documents: dict[tuple[str, str, UnitPath], None] = {}
        self._told: dict[object, int] = {}
        self._wanted = asyncio.Event()

    def device(self, device: str, levels: tuple[Level, ...] = ()) -> None:
        """The device's state changed, or new levels came."""
        self._levels.setdefault(device, []).extend(levels)
        self._wanted.set()

    def standing(self, document: str, item: str, unit: UnitPath) -> None:
        """A document moved on some device of a unit."""
        self._documents[document, item, unit] = None
        self._wanted.set()

    def refusal(self, place: UnitPath, **data: Any) -> None:
        """A device refused something; rare, so it is told at once."""
        self._hub.publish("refusal", place, **data)

    async def run(self) -> None:
        """Publishes until it is cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._round(self._clock())
            await asyncio.sleep(ROUND_S)

    def _round(self, now: int) -> None:
        for device in [one for one in self._levels if self._due(one, now)]:
            levels = self._levels.pop(device)
            known = self._roster.get(device)
            if known is not None:
                self._publish(known, levels)
        for key in [one for one in self._documents if self._due(one, now)]:
            del self._documents[key]
            document, item, unit = key
            self._hub.publish("standing", unit, document=document, item=item or None)
        if self._levels or self._documents:
            self._wanted.set()
        if len(self._told) > 10_000:
            self._told = {key: at for key, at in self._told.items() if 0 <= now - at < INTERVAL_MS}

    def _due(self, key: object, now: int) -> bool:
        if 0 <= now - self._told.get(key, 0) < INTERVAL_MS:
            return False
        self._told[key] = now
        return True

    def _publish(self, device: DeviceNow, levels: list[Level]) -> None:
        grade = self._roster.reach_of(device, now=self._clock())
        made = facts(device, grade) | {"levels": [(one.wall, one.rung, one.level_cdb) for one in levels]}
        self._hub.publish("device", device.enrolled.place, **made)
