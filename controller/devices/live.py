"""What is known of each device right now, in memory: link, last status, and the levels of the last 15 minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from controller.devices.clone import FLAP_FADES_MS, CloneSign, CloneWatch
from controller.devices.domain import Reach, reach
from controller.devices.queries import Enrolled
from protocol.clock import ClockTrust, WallMs
from protocol.limits import CLOCK_SKEW_MS_MAX, REPORT_LEVELS_MAX
from protocol.report import Level, Status
from protocol.units import UnitPath, parent

STRIP_MS: Final = 15 * 60 * 1000
_NO_CLOCK: Final = ClockTrust.NONE.name.lower()


@dataclass(slots=True)
class DeviceNow:
    """One device.

    Attributes:
        seen: when a status last came, by our clock.
        levels: one entry for each second that the device reported, oldest first.
        watch: looks for a second box with the device's identity.
    """

    enrolled: Enrolled
    link_up: bool = False
    seen: WallMs | None = None
    status: Status | None = None
    levels: deque[Level] = field(default_factory=lambda: deque(maxlen=REPORT_LEVELS_MAX))
    watch: CloneWatch = field(default_factory=CloneWatch)

    @property
    def clone_sign(self) -> CloneSign | None:
        """Why two boxes are thought to use this identity. What may have been a bad line fades after a day."""
        known = self.enrolled
        if known.clone_sign is None:
            return None
        sign, age_ms = CloneSign(known.clone_sign), (self.seen or 0) - (known.clone_seen or 0)
        return None if sign is CloneSign.CONNECTIONS_FLAP and age_ms >= FLAP_FADES_MS else sign

    @property
    def unit(self) -> UnitPath:
        """The unit that the device belongs to."""
        return parent(self.enrolled.place) or self.enrolled.place

    def take(self, status: Status, *, now: WallMs) -> tuple[Level, ...]:
        """Takes in a status and gives the levels that are new. An older status that comes late changes no state."""
        self.link_up, self.seen = True, now
        if self.status is None or not _is_late(status, self.status, now=now):
            self.status = status
        # Who believes no hour tells of seconds whose order alone is known.
        shift_ms = now - status.wall if status.clock == _NO_CLOCK else 0
        while self.levels and self.levels[-1].wall > now + CLOCK_SKEW_MS_MAX:
            self.levels.pop()  # of an hour that was corrected since
        newest = self.levels[-1].wall if self.levels else 0
        levels = (replace(level, wall=WallMs(level.wall + shift_ms)) for level in status.levels)
        fresh = tuple(level for level in levels if level.wall > newest)
        if not fresh and status.wall + shift_ms > newest:
            # A device measures only while its amplifier is on; that it is silent is known all the same.
            fresh = (Level(WallMs(status.wall + shift_ms), status.rung, status.level_cdb),)
        self.levels.extend(fresh)
        return fresh

    def strip(self, *, since: int) -> tuple[Level, ...]:
        """Levels after an instant."""
        return tuple(level for level in self.levels if level.wall > since)


def _is_late(status: Status, former: Status, *, now: WallMs) -> bool:
    """Whether it was told before the other one. A date that was not believed, or lies ahead, orders nothing."""
    dated = former.clock != _NO_CLOCK and former.wall <= now + CLOCK_SKEW_MS_MAX
    return dated and status.boot_id == former.boot_id and status.wall < former.wall


class Roster:
    """All enrolled devices of this controller."""

    def __init__(self, *, heartbeat_ms: int) -> None:
        self.heartbeat_ms = heartbeat_ms
        self._devices: dict[str, DeviceNow] = {}

    def __contains__(self, device: str) -> bool:
        return device in self._devices

    def __iter__(self) -> Iterator[DeviceNow]:
        return iter(self._devices.values())

    def get(self, device: str) -> DeviceNow | None:
        """The device, if it is enrolled."""
        return self._devices.get(device)

    def renew(self, enrolled: Iterable[Enrolled]) -> None:
        """Takes in who is enrolled; what is known of those who stay is kept."""
        fresh = {one.id: self._devices.get(one.id) or DeviceNow(one) for one in enrolled}
        for one in enrolled:
            fresh[one.id].enrolled = one
        self._devices = fresh

    def versions_told(self) -> dict[tuple[UnitPath, str], int]:
        """The highest version of each unit's documents that any device says it obeys, by unit and kind."""
        found: dict[tuple[UnitPath, str], int] = {}
        for device in self:
            for one in device.status.in_force if device.status is not None else ():
                found[one.scope, one.kind] = max(one.version, found.get((one.scope, one.kind), 0))
        return found

    def reach_of(self, device: DeviceNow, *, now: WallMs) -> Reach:
        """How well the device is known to be alive."""
        return reach(link_up=device.link_up, seen=device.seen, now=now, heartbeat_ms=self.heartbeat_ms)


def facts(device: DeviceNow, grade: Reach) -> dict[str, Any]:
    """What a page shows of a device, as JSON values: the same for the first rendering and for live events."""
    status = device.status
    suspected = [device.clone_sign.value] if device.clone_sign else []
    made: dict[str, Any] = {"device": device.enrolled.id, "reach": grade.value, "seen_ms": device.seen}
    if status is None:
        return made | {"faults": suspected} if suspected else made
    return made | {
        "rung": status.rung,
        "level_cdb": status.level_cdb,
        "sounding": status.sounding,
        "clock": status.clock,
        "faults": [*suspected, *(code.value for code in status.faults)],
        "media_held": status.media_held,
        "media_wanted": status.media_wanted,
        "agent_version": status.agent_version,
        "in_force": [{"scope": one.scope, "kind": one.kind, "version": one.version} for one in status.in_force],
    }
