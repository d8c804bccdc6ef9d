"""What the device pages show, put together from memory and database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.devices import wording
from controller.devices.domain import Delivery, Reach
from controller.devices.live import DeviceNow, Roster, facts
from controller.people.domain import Viewer
from controller.web.i18n import gettext
from protocol.audible_config import StoredMessage
from protocol.clock import WallMs
from protocol.limits import MESSAGES_MAX
from protocol.units import UnitPath, covers


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device in a list."""

    device: DeviceNow
    reach: Reach
    facts: Mapping[str, Any]

    @property
    def badge(self) -> str:
        """Class of the state's badge."""
        return wording.REACH_BADGES[self.reach]

    @property
    def reach_name(self) -> str:
        """The state in a word."""
        return wording.reach(self.reach)

    @property
    def schedule_version(self) -> int | None:
        """Version of its own unit's schedule that it obeys."""
        mine = [one["version"] for one in self.facts.get("in_force", ()) if _is_own_schedule(one, self.device.unit)]
        return max(mine, default=None)


def _is_own_schedule(document: Mapping[str, Any], unit: UnitPath) -> bool:
    return bool(document["kind"] == "schedule" and document["scope"] == unit)


@dataclass(frozen=True, slots=True)
class Group:
    """The devices of one unit."""

    unit: UnitPath
    name: str
    rows: tuple[DeviceRow, ...]

    def count(self, reach: Reach | str) -> int:
        """How many are in this state."""
        return sum(row.reach == reach for row in self.rows)

    @property
    def faulty(self) -> int:
        """How many tell of a fault."""
        return sum(bool(row.facts.get("faults")) for row in self.rows)


def visible(roster: Roster, viewer: Viewer, *, under: UnitPath | None = None) -> tuple[DeviceNow, ...]:
    """Devices the viewer may see, by place."""
    seen = (one for one in roster if viewer.sees(one.enrolled.place))
    chosen = (one for one in seen if under is None or covers(under, one.enrolled.place))
    return tuple(sorted(chosen, key=lambda one: one.enrolled.place))


def row_of(roster: Roster, device: DeviceNow, now: WallMs) -> DeviceRow:
    """A device as it is now."""
    grade = roster.reach_of(device, now=now)
    return DeviceRow(device, grade, facts(device, grade))


def grouped(rows: Iterable[DeviceRow], names: Mapping[UnitPath, str]) -> tuple[Group, ...]:
    """Devices by their unit, units by name."""
    by_unit: dict[UnitPath, list[DeviceRow]] = defaultdict(list)
    for row in rows:
        by_unit[row.device.unit].append(row)
    groups = (Group(unit, names.get(unit, unit), tuple(found)) for unit, found in by_unit.items())
    return tuple(sorted(groups, key=lambda group: (group.name, group.unit)))


def labels(titles: Mapping[str, str]) -> dict[str, Any]:
    """Words for the page's script, in the reader's language."""
    return {
        "reach": {one.value: [wording.reach(one), wording.REACH_BADGES[one]] for one in Reach},
        "rung": {str(number): wording.rung(number) for number in wording.RUNGS},
        "fault": {code.value: wording.fault_name(code) for code in (*wording.FAULTS, *wording.CLONE_NAMES)},
        "clock": {name: wording.clock(name) for name in wording.CLOCKS},
        "titles": dict(titles),
        "no_faults": gettext("None"),
        "schedule": gettext("Schedule no. %(version)s"),
        "now": gettext("just now"),
        "ago": gettext("%s ago"),
        "never": gettext("never"),
        "stretch": gettext("%(from)s to %(to)s: %(what)s, %(level)s dBFS on average"),
        "no_stretch": gettext("Nothing was told in the last 15 minutes."),
        "units": [gettext("%d s"), gettext("%d min"), gettext("%d h"), gettext("%d days")],
    }


def message_titles(messages: Iterable[StoredMessage] = ()) -> dict[str, str]:
    """What the message buttons sound, by the names that a status gives them; with titles where they are known."""
    words = gettext("Stored message %(number)s")
    titled = {one.number: f": {one.title}" for one in messages}
    numbers = range(1, MESSAGES_MAX + 1)
    return {f"message-{number}": words % {"number": number} + titled.get(number, "") for number in numbers}


def soundings(rows: Sequence[DeviceRow]) -> set[str]:
    """Ids of what sounds somewhere."""
    return {str(row.facts["sounding"]) for row in rows if row.facts.get("sounding")}


def delivery_name(standing: str) -> str:
    """A standing in a word."""
    return wording.delivery(Delivery(standing))


def delivery_badge(standing: str) -> str:
    """Class of a standing's badge."""
    return wording.DELIVERY_BADGES[Delivery(standing)]
