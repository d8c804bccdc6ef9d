"""Where loudspeakers should be: new ones without a word, and those whose unit is no more. Pure.

A word is signed for many at once, but it lies in the parcel of each of its loudspeakers for as long as it is the
newest about them, so one document names at most `PLACEMENTS_IN_WORD_MAX`; beyond that each unit gets its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from controller.units.domain import Unit
from protocol.assignment import Placement
from protocol.clock import WallMs
from protocol.limits import UNIT_DEPTH_MAX, UNIT_SEGMENT_CHARS_MAX
from protocol.units import UnitPath, ancestors, covers, depth, parent

PLACEMENTS_IN_WORD_MAX: Final = 100
_HOPS_MAX: Final = 16
"""A unit that was merged may have been merged again; a circle ends here."""


@dataclass(frozen=True, slots=True)
class Sited:
    """A device as the table has it.

    Attributes:
        former: where it really is while it is on its way.
        issued: date of the newest signed word about it.
    """

    id: str
    name: str
    place: UnitPath
    former: UnitPath | None = None
    issued: WallMs | None = None

    @property
    def stands(self) -> UnitPath:
        """Where it really is, as far as it has said."""
        return self.former or self.place

    @property
    def home(self) -> UnitPath:
        """The unit it belongs to."""
        return parent(self.place) or self.place


class Reason(StrEnum):
    """Why a word is needed."""

    NEW = "new"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A loudspeaker that waits for a word, and what it would say."""

    device: Sited
    reason: Reason
    place: UnitPath

    @property
    def placement(self) -> Placement:
        """The line of the document."""
        stands = self.device.stands
        return Placement(self.device.id, self.place, stands if stands != self.place else None)

    @property
    def home(self) -> UnitPath:
        """The unit it shall belong to."""
        return parent(self.place) or self.place


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is to be done.

    Attributes:
        stranded: loudspeakers whose unit ended without a successor: a person has to say where they go.
    """

    proposals: tuple[Proposal, ...]
    stranded: tuple[Sited, ...]


def heir_of(home: UnitPath, units: Mapping[UnitPath, Unit], day: str) -> UnitPath | None:
    """The unit that stands today for one that may have been merged or moved; None when there is none."""
    path = home
    for _ in range(_HOPS_MAX):
        unit = units.get(path)
        if unit is not None and unit.valid_on(day):
            return path
        gone = next((one for one in reversed(ancestors(path)) if _heir(one, units, day)), None)
        if gone is None:
            return None
        into = units[gone].merged_into
        assert into is not None, "it was looked for"
        deeper = UnitPath(into + path[len(gone) :])
        path = deeper if deeper in units else into
    return None


def _heir(path: UnitPath, units: Mapping[UnitPath, Unit], day: str) -> bool:
    unit = units.get(path)
    return unit is not None and unit.merged_into is not None and not unit.valid_on(day)


def plan(devices: Iterable[Sited], units: Mapping[UnitPath, Unit], day: str) -> Plan:
    """Who needs a word. Names at the new place stay the same if they are free there."""
    known = tuple(sorted(devices, key=lambda one: one.place))
    taken = {one.place for one in known} | set(units)
    proposals: list[Proposal] = []
    stranded: list[Sited] = []
    for device in known:
        heir = heir_of(device.home, units, day)
        if heir is None and device.home in units:
            stranded.append(device)
        elif heir is not None and heir != device.home:
            place = free_place(heir, device.place.rpartition("/")[2], taken)
            taken.add(place)
            proposals.append(Proposal(device, Reason.MOVED, place))
        elif device.issued is None:
            proposals.append(Proposal(device, Reason.NEW, device.place))
    return Plan(tuple(proposals), tuple(stranded))


def free_place(unit: UnitPath, leaf: str, taken: set[UnitPath]) -> UnitPath:
    """The leaf below the unit, with a number behind it when it is taken: `c07`, `c07-2`."""
    number = 1
    while True:
        ending = f"-{number}" if number > 1 else ""
        place = UnitPath(f"{unit}/{leaf[: UNIT_SEGMENT_CHARS_MAX - len(ending)]}{ending}")
        if place not in taken:
            return place
        number += 1


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one document would say.

    Attributes:
        unit: the unit it is about; the common scope for a document over several units.
    """

    scope: UnitPath
    proposals: tuple[Proposal, ...]


def bundles(proposals: Iterable[Proposal]) -> tuple[Bundle, ...]:
    """As few documents as may be: one for all, or one for each way from unit to unit, in parts when it is long."""
    found = tuple(proposals)
    if not found:
        return ()
    if len(found) <= PLACEMENTS_IN_WORD_MAX:
        return (Bundle(scope_of(found), found),)
    by_way: dict[tuple[UnitPath, UnitPath], list[Proposal]] = {}
    for one in found:
        by_way.setdefault((one.device.home, one.home), []).append(one)
    made = []
    for ways in by_way.values():
        for begin in range(0, len(ways), PLACEMENTS_IN_WORD_MAX):
            part = tuple(ways[begin : begin + PLACEMENTS_IN_WORD_MAX])
            made.append(Bundle(scope_of(part), part))
    return tuple(made)


def scope_of(proposals: Iterable[Proposal]) -> UnitPath:
    """The narrowest unit over all places that are named."""
    homes = [path for one in proposals for path in (one.home, parent(one.device.stands) or one.device.stands)]
    return common_ancestor(homes)


def common_ancestor(paths: Iterable[UnitPath]) -> UnitPath:
    """The deepest unit that covers all of some paths; their first segment when nothing else does."""
    found = tuple(paths)
    shared = [one for one in ancestors(found[0]) if all(covers(one, path) for path in found)]
    return shared[-1] if shared else ancestors(found[0])[0]


def fits(place: UnitPath) -> bool:
    """Whether the path is not too deep for a device."""
    return depth(place) <= UNIT_DEPTH_MAX
