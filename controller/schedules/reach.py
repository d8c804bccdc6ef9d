"""How many loudspeakers, and roughly how many people, hear what is sent to some units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocol.units import UnitPath, addresses, parent


@dataclass(frozen=True, slots=True)
class Reach:
    """Who hears it.

    Attributes:
        people: rounded to two figures; None when no population is known.
        homes: units whose loudspeakers are among those addressed.
    """

    loudspeakers: int
    people: int | None
    homes: tuple[UnitPath, ...] = ()


def reach(targets: Iterable[UnitPath], places: Iterable[UnitPath], population: Mapping[UnitPath, int]) -> Reach:
    """Counts the devices under the targets; a unit's people are shared evenly among its devices.

    Args:
        places: the place of every device.
        population: people of each unit, where known.
    """
    targets, everywhere = tuple(targets), tuple(places)
    addressed = Counter(_home(place) for place in everywhere if addresses(targets, place))
    total = Counter(_home(place) for place in everywhere)
    known = [home for home in addressed if home in population]
    people = sum(population[home] * addressed[home] / total[home] for home in known)
    return Reach(addressed.total(), _two_figures(people) if known else None, tuple(sorted(addressed)))


def _home(place: UnitPath) -> UnitPath:
    above = parent(place)
    assert above is not None, "a device lies below a unit"
    return above


def _two_figures(people: float) -> int:
    rough = round(people)
    step = 10 ** max(0, len(str(rough)) - 2)
    return int((rough + step / 2) // step * step)
