"""The tree of places as dated data: what a unit is called, since when, what became of it. No level has a meaning."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from protocol.units import UnitPath, parent

_STROKES = str.maketrans("đĐ", "dD")


@dataclass(frozen=True, slots=True)
class Unit:
    """One place from one date to another.

    Attributes:
        name: in full, as people say it: `Xã Kế Sách`.
        label: what kind of place it is: `xã`, `phường`, `thành phố trung ương`.
        valid_from, valid_until: local dates as YYYY-MM-DD; the second is the first day on which it is no more.
        merged_into: the unit that took it in, or the place it moved to.
    """

    path: UnitPath
    name: str
    label: str
    population: int | None
    households: int | None
    valid_from: str
    valid_until: str | None = None
    merged_into: UnitPath | None = None

    def valid_on(self, day: str) -> bool:
        """Whether the unit is there on that date."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)

    @property
    def says_its_kind(self) -> bool:
        """Whether the name begins with the kind of place, as in `Xã Kế Sách`."""
        return self.name.casefold().startswith(self.label.casefold() + " ")

    @property
    def order(self) -> tuple[tuple[str, ...], str]:
        """Sorts by the proper name: `Xã Kế Sách` stands under K, as people look for it."""
        return order_key(self.name[len(self.label) :] if self.says_its_kind else self.name)

    @property
    def parent(self) -> UnitPath | None:
        """The unit directly above."""
        return parent(self.path)


@dataclass(frozen=True, slots=True)
class Branch:
    """A unit with what lies below it."""

    unit: Unit
    below: tuple[Branch, ...]

    @property
    def size(self) -> int:
        """Number of units below, at any depth."""
        return sum(1 + branch.size for branch in self.below)


def grow(units: Iterable[Unit]) -> tuple[Branch, ...]:
    """The tree of some units: one whose parent is not among them stands at the top; names in Vietnamese order."""
    known = {unit.path: unit for unit in units}
    below: dict[UnitPath | None, list[Unit]] = {}
    for unit in known.values():
        above = unit.parent if unit.parent in known else None
        below.setdefault(above, []).append(unit)

    def branches(path: UnitPath | None) -> tuple[Branch, ...]:
        found = sorted(below.get(path, ()), key=lambda unit: unit.order)
        return tuple(Branch(unit, branches(unit.path)) for unit in found)

    return branches(None)


def plain(text: str) -> str:
    """Lower-case letters without marks: what people type when they search for `Kế Sách` as `ke sach`."""
    decomposed = unicodedata.normalize("NFD", text.translate(_STROKES).casefold())
    return " ".join("".join(one for one in decomposed if not unicodedata.combining(one)).split())


def order_key(name: str) -> tuple[tuple[str, ...], str]:
    """Sorts names word by word, letters before marks."""
    return tuple(plain(name).split()), name


def matches(unit: Unit, wanted: str) -> bool:
    """Whether every word that was typed begins a word of the name, or is the end of the path."""
    words = (*plain(unit.name).split(), unit.path.rpartition("/")[2])
    return all(any(word.startswith(typed) for word in words) for typed in plain(wanted).split())


def check_day(text: str) -> str:
    """A date as YYYY-MM-DD; raises ValueError for 31 February."""
    return date.fromisoformat(text).isoformat()
