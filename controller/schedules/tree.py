"""A unit and all below it, for a tree of checkboxes with the number of loudspeakers beside each."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from controller.schedules.queries import Tree
from controller.units.domain import order_key
from protocol.units import UnitPath, ancestors, covers, parent


@dataclass(frozen=True, slots=True)
class Branch:
    """One place.

    Attributes:
        device: it is a loudspeaker, not a unit.
        open: something below it was chosen, so it is shown.
    """

    path: UnitPath
    name: str
    loudspeakers: int
    device: bool
    chosen: bool
    open: bool
    below: tuple[Branch, ...]


def branch_of(tree: Tree, unit: UnitPath, chosen: frozenset[str]) -> Branch:
    """The tree from a unit downwards; places without a loudspeaker stay, because one may come."""
    devices = frozenset(tree.devices)
    below: defaultdict[UnitPath, list[UnitPath]] = defaultdict(list)
    for path in tree.names:
        above = parent(path)
        if above is not None and covers(unit, path) and path != unit:
            below[above].append(path)
    counts: defaultdict[UnitPath, int] = defaultdict(int)
    for place in devices:
        for above in ancestors(place):
            counts[above] += 1

    def grow(path: UnitPath) -> Branch:
        inner = tuple(grow(one) for one in sorted(below[path], key=lambda one: _order(one, tree, devices)))
        open_ = any(one.chosen or one.open for one in inner)
        return Branch(path, tree.name(path), counts[path], path in devices, path in chosen, open_, inner)

    return grow(unit)


def _order(path: UnitPath, tree: Tree, devices: frozenset[UnitPath]) -> tuple[bool, tuple[str, ...] | str, str]:
    """Units by name, then loudspeakers by their place, which people number."""
    if path in devices:
        return (True, (path,), path)
    words, name = order_key(tree.name(path))
    return (False, words, name)
