"""Who may speak changes: grants are renewed with the same key or another, stolen keys are denied, devices move.

A stolen key speaks for its own scope until the chair has denied it (trust.md); then what stood on it falls silent,
and what the commune says anew with its new key is heard.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from protocol.assignment import Assignment, Placement
from protocol.bulletin import BulletinClass, Explicit
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind as Document
from protocol.grants import Grant
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath
from simulators.world.office import OPERATOR, PLACING, PROVINCE, Signed, units_of
from simulators.world.paths import DOC_PATH, deliver, place_of
from simulators.world.people import MINUTE_MS, in_words, words_of
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.world import World

_RENEWALS_A_DAY: Final = 0.1
_LAPSES_A_DAY: Final = 0.06
_NOTICED_MS: Final = 10 * MINUTE_MS
_THEFTS_A_DAY: Final = 0.06
_MOVES_A_DAY: Final = 0.02
_MERGERS_A_DAY: Final = 0.05
_NINE_BILLION: Final = 9_000_000_000


def _renew(world: World, happening: Happening) -> None:
    """The operator's grant for another while. With a new key the former one says nothing any more, not even what it
    said before to a device that has not heard it: all is signed anew.
    """
    unit = UnitPath(happening.who)
    if unit in world.people.desks:
        key = f"{unit}/{OPERATOR} {happening.at_ms}" if happening.words == "new" else ""
        world.people.hand_in(world.offices.renew(unit, at=world.trace_wall(), key=key))
        if key:
            world.people.hand_in(world.people.rules(unit))
            world.people.hand_in(world.people.schedule(unit))


def _lapse(world: World, happening: Happening) -> None:
    """The operator's grant runs out after `number` milliseconds, and is renewed ten minutes too late."""
    unit, at = UnitPath(happening.who), world.trace_wall()
    if unit in world.people.desks:
        world.people.hand_in(world.offices.renew(unit, at=at, life_ms=happening.number))
        too_late_ms = happening.number + _NOTICED_MS
        world.later(too_late_ms, lambda: world.people.hand_in(world.offices.renew(unit, at=world.trace_wall())))


def _draw_lapses(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_LAPSES_A_DAY):
        number = dice.choice((5, 60, 600)) * MINUTE_MS
        if at_ms + number + _NOTICED_MS < shape.calm_ms:
            found.append(Happening(at_ms, unit, "people.lapse", number))
    return found


def _draw_renewals(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_RENEWALS_A_DAY):
        found.append(Happening(at_ms, unit, "people.renew", 0, dice.choice(("same", "new"))))
    return found


# A stolen key.


def _stolen(world: World, happening: Happening) -> None:
    """A thief signs the highest version there is; after `number` milliseconds the chair denies his key."""
    unit = UnitPath(happening.who)
    if unit not in world.people.desks:
        return
    thief = _thiefs_schedule(world, unit, happening)
    deliver(world, unit, happening.words, thief.envelope.pack())
    world.later(happening.number, lambda: deny(world, unit, f"{unit}/{OPERATOR} {happening.at_ms}"))


def _thiefs_schedule(world: World, unit: UnitPath, happening: Happening) -> Signed:
    wall = world.trace_wall()
    when = Explicit(tuple(WallMs(wall + minutes * MINUTE_MS) for minutes in (1, 10, 45, 120)))
    content = Programme(world.people.sound(f"{unit}/thief {happening.at_ms}", 60_000))
    item = Item("thief", "Nghe đây", BulletinClass.PRIORITY, content, when, (unit,))
    made = Schedule(unit, _NINE_BILLION, wall, WallMs(wall + DAY_MS), (item,))
    return world.offices.issue(Document.SCHEDULE, made, at=wall, stolen=True)


def deny(world: World, unit: UnitPath, key: str) -> None:
    """The chair appoints the operator anew with another key, everything is signed with it, and the old one falls."""
    at, grant = world.trace_wall(), world.offices.posts[unit, OPERATOR].grant.document
    assert isinstance(grant, Grant), "a post has a grant"
    world.people.hand_in(world.offices.renew(unit, at=at, key=key, epoch=grant.epoch + 1))
    world.people.hand_in(world.people.rules(unit))
    world.people.hand_in(world.people.schedule(unit))
    world.people.hand_in(world.offices.deny(unit, grant.epoch + 1, at=at))


def _draw_thefts(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_THEFTS_A_DAY):
        number = dice.choice((5000, 5 * MINUTE_MS, 60 * MINUTE_MS, 180 * MINUTE_MS))
        found.append(Happening(at_ms, unit, "people.stolen_key", min(number, shape.calm_ms - at_ms), DOC_PATH))
    return found


# Devices that belong elsewhere.


def _move(world: World, happening: Happening) -> None:
    """One device goes to another commune, or with `all` every device of its commune: communes merge."""
    words = words_of(happening.words)
    to = UnitPath(f"{PROVINCE}/{words['to']}")
    if to not in world.people.desks or happening.who not in world.devices:
        return
    home = place_of(world, happening.who).rpartition("/")[0]
    moved = [happening.who]
    if words["who"] == "all":
        moved = [name for name in world.devices if place_of(world, name).startswith(f"{home}/")]
    placements = []
    for name in moved:
        former, place = place_of(world, name), UnitPath(f"{to}/{name}")
        if place != former:
            placements.append(Placement(name, place, former))
            world.offices.places[name] = place
    if placements:
        word = Assignment(PROVINCE, world.trace_wall(), tuple(placements))
        at = world.trace_wall()
        world.people.hand_in(world.offices.issue(Document.ASSIGNMENT, word, at=at, holder=PLACING))


def _draw_moves(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    numbers = [one.rpartition("/")[2] for one in units_of(names)]
    if len(numbers) < 2:
        return []
    found = []
    for who, per_day in (("one", _MOVES_A_DAY), ("all", _MERGERS_A_DAY / len(names))):
        for at_ms, name in sometimes(dice, shape, names, per_day=per_day):
            words = in_words(to=dice.choice(numbers), who=who)
            found.append(Happening(at_ms, name, "people.move", 0, words))
    return found


KINDS: Final = {
    "people.renew": Kind(_renew, _draw_renewals, fault=False),
    "people.lapse": Kind(_lapse, _draw_lapses),
    "people.stolen_key": Kind(_stolen, _draw_thefts),
    "people.move": Kind(_move, _draw_moves, fault=False),
}
