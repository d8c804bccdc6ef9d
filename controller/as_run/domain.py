"""What should have sounded on a day, compared with what the devices' logs say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from protocol.clock import WallMs
from protocol.schedule import Item, Schedule
from protocol.units import UnitPath, addresses

GRACE_MS: Final = 120_000
"""A record comes when the sound has ended, and then it travels: nothing is missed before that."""
EARLY_MS: Final = 5_000
OCCURRENCES_MAX: Final = 2_000


@dataclass(frozen=True, slots=True)
class Device:
    """A loudspeaker that could have sounded."""

    id: str
    place: UnitPath
    name: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One item at one time, and the devices it was meant for."""

    scope: UnitPath
    item: Item
    start: WallMs
    devices: tuple[Device, ...]

    @property
    def end(self) -> WallMs:
        """When its last sample was due."""
        return WallMs(self.start + self.item.content.duration_ms)


@dataclass(frozen=True, slots=True)
class Missed:
    """An occurrence that some devices were meant to play and did not report."""

    occurrence: Occurrence
    devices: tuple[Device, ...]


Heard = Mapping[tuple[str, str], Sequence[WallMs]]
"""Device and item to the starts that its log names."""


def occurrences(
    schedules: Iterable[Schedule], devices: Sequence[Device], *, begin: WallMs, end: WallMs
) -> Iterator[Occurrence]:
    """What the schedules in force meant to sound in [begin, end), at most `OCCURRENCES_MAX`."""
    made = 0
    for schedule in schedules:
        for item in schedule.items:
            meant = tuple(one for one in devices if _meant(schedule, item, one.place))
            for start in item.when.between(max(begin, schedule.issued), end) if meant else ():
                yield Occurrence(schedule.scope, item, start, meant)
                made += 1
                if made >= OCCURRENCES_MAX:
                    return


def _meant(schedule: Schedule, item: Item, place: UnitPath) -> bool:
    if not addresses(item.targets, place):
        return False
    # An upper level's ordinary item is an offer to the commune; devices do not play it (behaviour.md, section 1).
    home, _, _ = place.rpartition("/")
    return item.bulletin_class.value != "ordinary" or schedule.scope in (place, home)


def missed(planned: Iterable[Occurrence], heard: Heard, *, now: WallMs) -> tuple[Missed, ...]:
    """What is over and is on nobody's log."""
    found = []
    for one in planned:
        if one.end + GRACE_MS > now:
            continue
        item = one.item.id
        silent = tuple(device for device in one.devices if not _was_heard(one, heard.get((device.id, item), ())))
        if silent:
            found.append(Missed(one, silent))
    return tuple(found)


def _was_heard(one: Occurrence, starts: Sequence[WallMs]) -> bool:
    return any(one.start - EARLY_MS <= start < one.end for start in starts)
