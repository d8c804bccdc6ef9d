"""What is over and does not know it: schedules that end, keys that were replaced, numbers and answers used before."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from protocol.clock import WallMs
from protocol.document import Kind as Document
from protocol.schedule import Schedule
from protocol.units import UnitPath
from simulators.world.faults.emergencies import alert_of
from simulators.world.office import OPERATOR, units_of
from simulators.world.paths import ALERT_PATH, DOC_PATH, PATHS, Lie, deliver
from simulators.world.people import MINUTE_MS
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.world import World

_A_DAY: Final = 0.06
_NOTICED_MS: Final = 10 * MINUTE_MS


def _short(world: World, happening: Happening) -> None:
    """A schedule ends after `number` milliseconds, and the next one is signed ten minutes too late."""
    unit = UnitPath(happening.who)
    if unit not in world.people.desks:
        return
    made, at = world.people.schedule(unit), world.trace_wall()
    assert isinstance(made.document, Schedule), "a desk's schedule"
    version = world.offices.next(f"version {unit}/schedule")
    short = replace(made.document, version=version, expires=WallMs(at + happening.number))
    world.people.hand_in(world.people.issue(Document.SCHEDULE, short))
    late_ms = happening.number + _NOTICED_MS
    world.later(late_ms, lambda: world.people.hand_in(world.people.schedule(unit)))


def _former(world: World, happening: Happening) -> None:
    """Somebody whose key was replaced is sure that it still counts; until then it does."""
    unit = UnitPath(happening.who)
    if unit not in world.people.desks:
        return
    first = next(
        one for one in world.offices.signed.values() if one.by and one.by[0].startswith(f"{unit}/{OPERATOR}")
    )
    if first.by == world.offices.posts[unit, OPERATOR].signers:
        return
    alert = alert_of(world, unit, f"f{happening.at_ms}", life_ms=10 * MINUTE_MS)
    at = world.trace_wall()
    made = world.offices.sign(Document.ALERT, alert, *first.by, at=at, under=first.under)
    deliver(world, unit, happening.words, made.envelope.pack())


def _twice(world: World, happening: Happening) -> None:
    """A signer was set back to a backup: it uses a number, or a version, that it has used before."""
    unit, at = UnitPath(happening.who), world.trace_wall()
    if unit not in world.people.desks:
        return
    if happening.words == "schedule":
        made = world.people.schedule(unit)
        world.people.hand_in(made)
        assert isinstance(made.document, Schedule), "a desk's schedule"
        other = world.offices.issue(
            Document.SCHEDULE, replace(made.document, items=made.document.items[1:]), at=at, stolen=True
        )
        deliver(world, unit, DOC_PATH, other.envelope.pack())
        return
    sequence = world.offices.next(f"sequence {unit}")
    for name in ("one", "two"):
        alert = alert_of(world, unit, f"{name}{happening.at_ms}", life_ms=2 * MINUTE_MS, sequence=sequence)
        deliver(world, unit, ALERT_PATH, world.people.issue(Document.ALERT, alert).envelope.pack())


def _old_answer(world: World, happening: Happening) -> None:
    """For `number` milliseconds somebody on the way answers with what the controller answered to somebody before."""
    lie = Lie(old=True)
    world.front.take(lie)
    world.later(happening.number, lambda: world.front.leave(lie))


def _draw_short(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_A_DAY):
        lasts_ms = dice.randrange(1, 360) * MINUTE_MS
        if at_ms + lasts_ms + _NOTICED_MS < shape.calm_ms:
            found.append(Happening(at_ms, unit, "people.short_schedule", lasts_ms))
    return found


def _draw_former(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = sometimes(dice, shape, units_of(names), per_day=_A_DAY)
    return [Happening(at_ms, unit, "people.former_key", 0, dice.choice(PATHS)) for at_ms, unit in found]


def _draw_twice(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = sometimes(dice, shape, units_of(names), per_day=_A_DAY)
    kinds = ("schedule", "alert")
    return [Happening(at_ms, unit, "people.twice", 0, dice.choice(kinds)) for at_ms, unit in found]


def _draw_old_answers(dice: random.Random, shape: Shape, _: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, who in sometimes(dice, shape, ("everywhere",), per_day=_A_DAY):
        lasts_ms = min(dice.randrange(1, 600) * MINUTE_MS, shape.calm_ms - at_ms)
        found.append(Happening(at_ms, who, "attack.old_answer", lasts_ms))
    return found


KINDS: Final = {
    "people.short_schedule": Kind(_short, _draw_short),
    "people.former_key": Kind(_former, _draw_former),
    "people.twice": Kind(_twice, _draw_twice),
    "attack.old_answer": Kind(_old_answer, _draw_old_answers),
}
