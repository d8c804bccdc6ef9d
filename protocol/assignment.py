"""Which loudspeaker belongs where: words of the organisation about single devices, signed with the verb `assign`.

Communes merge and loudspeakers move; nobody climbs a pole for it. For each device the word with the newest `issued`
counts. A word reaches no farther than its scope, and names the place a device leaves as well as the one it goes to:
whoever moves a device has authority over both. The signer counts loudspeakers by these words and by nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.limits import PLACEMENTS_MAX
from protocol.topics import device_id
from protocol.units import UnitPath, covers, unit_path


@dataclass(frozen=True, slots=True)
class Placement:
    """One device.

    Attributes:
        place: where it belongs from now on; None when it is out of service.
        former: the place it leaves; None when it was enrolled at `place`.
    """

    device: str
    place: UnitPath | None = None
    former: UnitPath | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A word about some devices; later words about the same devices replace it."""

    scope: UnitPath
    issued: WallMs
    placements: tuple[Placement, ...] = field(metadata=bounded(count_max=PLACEMENTS_MAX))

    def __post_init__(self) -> None:
        unit_path(self.scope)
        if not self.placements:
            raise ValueError("an assignment names at least one device")
        if len({one.device for one in self.placements}) != len(self.placements):
            raise ValueError("a device stands twice in one assignment")
        for one in self.placements:
            device_id(one.device)
            _check_places(one, self.scope)

    def of(self, device: str) -> Placement | None:
        """The word about one device."""
        return next((one for one in self.placements if one.device == device), None)


def _check_places(placement: Placement, scope: UnitPath) -> None:
    for place in (placement.place, placement.former):
        if place is not None and (not covers(scope, unit_path(place)) or place == scope):
            raise ValueError(f"{place} is not below {scope}")


def newest_words(assignments: Iterable[Assignment]) -> dict[str, UnitPath | None]:
    """Where each device belongs, by the newest word about it."""
    ordered = sorted(assignments, key=lambda one: one.issued)
    return {placement.device: placement.place for one in ordered for placement in one.placements}
