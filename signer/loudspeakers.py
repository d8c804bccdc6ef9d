"""How many loudspeakers stand where, by the signed assignments this signer holds and by nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from protocol.assignment import Assignment, newest_words
from protocol.clock import WallMs
from protocol.units import UnitPath, covers


class Loudspeakers:
    """Where each loudspeaker belongs, by the newest word about it."""

    def __init__(self, assignments: Iterable[Assignment] = ()) -> None:
        self._assignments = tuple(assignments)
        self._words = newest_words(self._assignments)

    @property
    def words(self) -> Mapping[str, UnitPath | None]:
        """Device to place; None is out of service."""
        return self._words

    def within(self, units: Iterable[UnitPath]) -> frozenset[str]:
        """The devices of some units, each once."""
        wanted = tuple(units)
        return frozenset(
            device
            for device, place in self._words.items()
            if place is not None and any(covers(unit, place) for unit in wanted)
        )

    def told(self, unit: UnitPath) -> bool:
        """Whether any word names a place of the unit; without one its number is unknown, not zero."""
        return any(covers(unit, place) for one in self._assignments for place in _places(one))

    @property
    def newest(self) -> WallMs | None:
        """When the newest word of all was issued."""
        return max((one.issued for one in self._assignments), default=None)

    def issued_for(self, device: str) -> WallMs | None:
        """When the newest word about a device was issued."""
        return max((one.issued for one in self._assignments if one.of(device)), default=None)

    def with_word(self, assignment: Assignment) -> Loudspeakers:
        """As it will be once this word counts too."""
        return Loudspeakers((*self._assignments, assignment))


def _places(assignment: Assignment) -> Iterable[UnitPath]:
    return (place for one in assignment.placements for place in (one.place, one.former) if place is not None)
