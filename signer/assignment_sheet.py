"""What an assignment says: which loudspeakers move from where to where, and how many each commune has then."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.assignment import Assignment, Placement
from protocol.units import UnitPath, parent
from signer import wording
from signer.i18n import gettext as _
from signer.loudspeakers import Loudspeakers
from signer.places import Places


@dataclass(frozen=True, slots=True)
class MoveLine:
    """One loudspeaker; the warning is a sentence, or empty."""

    device: str
    former: str
    place: str
    warning: str


@dataclass(frozen=True, slots=True)
class CountLine:
    """A unit's loudspeakers before and after; before is None when nothing was known."""

    unit: str
    before: int | None
    after: int


@dataclass(frozen=True, slots=True)
class AssignmentSheet:
    """An assignment in words."""

    unit: str
    issued: str
    moves: tuple[MoveLine, ...]
    counts: tuple[CountLine, ...]

    @property
    def doubtful(self) -> int:
        """How many lines differ from what this machine believes."""
        return sum(bool(one.warning) for one in self.moves)


def assignment_sheet(assignment: Assignment, *, places: Places) -> AssignmentSheet:
    """Puts an assignment into words."""
    before = places.loudspeakers
    after = before.with_word(assignment)
    return AssignmentSheet(
        unit=places.name(assignment.scope),
        issued=wording.moment(assignment.issued),
        moves=tuple(_move(one, assignment, places) for one in assignment.placements),
        counts=tuple(_count(unit, before, after, places) for unit in _units(assignment, before)),
    )


def _units(assignment: Assignment, before: Loudspeakers) -> list[UnitPath]:
    """Every unit that gains or loses, by this word or by what was believed."""
    believed = (before.words.get(one.device) for one in assignment.placements)
    named = (place for one in assignment.placements for place in (one.place, one.former))
    return sorted(
        {home for place in (*believed, *named) if place is not None and (home := parent(place)) is not None}
    )


def _count(unit: UnitPath, before: Loudspeakers, after: Loudspeakers, places: Places) -> CountLine:
    known = len(before.within([unit])) if before.told(unit) else None
    return CountLine(places.name(unit), known, len(after.within([unit])))


def _move(placement: Placement, assignment: Assignment, places: Places) -> MoveLine:
    return MoveLine(
        device=placement.device,
        former=_named(placement.former, places) if placement.former else _("newly installed"),
        place=_named(placement.place, places) if placement.place else _("out of service"),
        warning=_warning(placement, assignment, places),
    )


def _named(place: UnitPath, places: Places) -> str:
    above = parent(place)
    name = places.name(place)
    return f"{name}, {places.name(above)}" if above is not None and name != place else name


def _warning(placement: Placement, assignment: Assignment, places: Places) -> str:
    words = places.loudspeakers
    newest = words.issued_for(placement.device)
    if newest is not None and newest >= assignment.issued:
        return _("A newer word of %(day)s about it is known: this one changes nothing.") % {
            "day": wording.day_of(newest)
        }
    believed = words.words.get(placement.device)
    if newest is None or believed == placement.former:
        return ""
    where = _named(believed, places) if believed else _("out of service")
    return _("This machine knew it at another place: %(place)s.") % {"place": where}
