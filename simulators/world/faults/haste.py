"""People in a hurry: what is truly signed and should not have been, or comes twice, late, or in odd order."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from protocol import codec
from protocol.alert import Alert
from protocol.audible_config import AudibleConfig
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind as Document
from protocol.envelope import Envelope, sign
from protocol.parcel import pack_parcel
from protocol.schedule import Schedule
from protocol.units import UnitPath, ancestors
from simulators.world.faults.emergencies import alert_of, issue_alert
from simulators.world.office import OPERATOR, PROVINCE, Signed, units_of
from simulators.world.paths import ALERT_PATH, DOC_PATH, PATHS, deliver, place_of, plug
from simulators.world.people import MINUTE_MS, Desk, chosen
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.world import World

_A_DAY: Final = 0.25
_NOTICED_MS: Final = 10 * MINUTE_MS


def _desk(world: World, happening: Happening) -> Desk | None:
    return world.people.desks.get(UnitPath(happening.who))


def _again(world: World, happening: Happening) -> None:
    """A double click: what was signed last comes a second time after `number` milliseconds."""
    desk = _desk(world, happening)
    if desk is None or not desk.issued:
        return
    last = desk.issued[-1]
    if happening.words == "controller":
        world.people.hand_in(last, late_ms=happening.number)
    else:
        world.later(happening.number, lambda: deliver(world, desk.unit, happening.words, last.envelope.pack()))


def _draw_again(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_A_DAY):
        number = min(round(10 ** dice.uniform(1.7, 6.5)), shape.calm_ms - at_ms)
        found.append(Happening(at_ms, unit, "people.again", number, dice.choice(("controller", *PATHS))))
    return found


def _overtaken(world: World, happening: Happening) -> None:
    """A version is signed and held up; a newer one arrives before it."""
    desk = _desk(world, happening)
    if desk is not None:
        older, newer = world.people.schedule(desk.unit), world.people.schedule(desk.unit)
        world.people.hand_in(newer)
        if happening.words == "controller":
            world.people.hand_in(older, late_ms=happening.number)
        else:
            world.later(happening.number, lambda: deliver(world, desk.unit, happening.words, older.envelope.pack()))


def _draw_overtaken(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_A_DAY):
        number = min(round(10 ** dice.uniform(2, 7)), shape.calm_ms - at_ms)
        found.append(Happening(at_ms, unit, "people.overtaken", number, dice.choice(("controller", *PATHS))))
    return found


def _false_date(world: World, happening: Happening) -> None:
    """The clock of the signer's computer is `number` milliseconds off; after ten minutes somebody notices."""
    desk = _desk(world, happening)
    if desk is None:
        return
    issued = WallMs(world.trace_wall() + happening.number)
    if happening.words == "alert":
        alert = alert_of(world, desk.unit, f"w{happening.at_ms}", life_ms=_NOTICED_MS, issued=issued)
        made = issue_alert(world, Document.ALERT, alert)
        deliver(world, desk.unit, ALERT_PATH, made.envelope.pack())
        return
    signed = world.people.schedule(desk.unit, issued=issued)
    deliver(world, desk.unit, DOC_PATH, signed.envelope.pack())
    world.later(_NOTICED_MS, lambda: world.people.hand_in(world.people.schedule(desk.unit)))


def _draw_false_dates(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    """Some minutes, some hours, or the year in which a computer's battery died."""
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_A_DAY):
        number = dice.choice((90_000, 5 * MINUTE_MS, 3_600_000, -3_600_000, -70 * DAY_MS, -3 * DAY_MS))
        if at_ms + max(number, 0) + _NOTICED_MS < shape.calm_ms:
            found.append(Happening(at_ms, unit, "people.false_date", number, dice.choice(("schedule", "alert"))))
    return found


# Documents that cannot be read.


def _unreadable(world: World, happening: Happening) -> None:
    """Truly signed by a tool that did not look: what no device may take."""
    desk = _desk(world, happening)
    if desk is not None:
        envelope = unreadable(world, desk.unit, happening.words)
        deliver(world, desk.unit, DOC_PATH, envelope.pack())


def unreadable(world: World, unit: UnitPath, way: str) -> Envelope:
    """Signed with the unit's own key, and wrong in one of `UNREADABLE`'s ways."""
    kind, spoil = UNREADABLE[way]
    wall = world.trace_wall()
    desk, post = world.people.desks[unit], world.offices.posts[unit, OPERATOR]
    documents: dict[Document, Schedule | AudibleConfig | Alert] = {
        Document.SCHEDULE: Schedule(unit, 10**6, wall, WallMs(wall + DAY_MS), tuple(desk.items.values())),
        Document.AUDIBLE_CONFIG: desk.rules,
        Document.ALERT: alert_of(world, unit, "unreadable", life_ms=MINUTE_MS, sequence=10**6),
    }
    fields: dict[str, Any] = json.loads(codec.encode(documents[kind]))
    spoil(fields)
    payload = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    return sign(kind, payload, [world.offices.key(one) for one in post.signers])


UNREADABLE: Final[dict[str, tuple[Document, Callable[[dict[str, Any]], object]]]] = {
    "alert_lives_too_long": (Document.ALERT, lambda one: one.update(expires=one["issued"] + DAY_MS)),
    "alert_for_others": (Document.ALERT, lambda one: one.update(targets=[PROVINCE])),
    "alert_says_nothing": (Document.ALERT, lambda one: one.update(parts=[])),
    "schedule_lives_too_long": (Document.SCHEDULE, lambda one: one.update(expires=one["issued"] + 200 * DAY_MS)),
    "schedule_ends_before": (Document.SCHEDULE, lambda one: one.update(expires=one["issued"] - 1)),
    "two_items_of_one_name": (Document.SCHEDULE, lambda one: one.update(items=[*one["items"], *one["items"]])),
    "too_loud": (Document.AUDIBLE_CONFIG, lambda one: one.update(ordinary_attenuation_cdb=-600, version=10**6)),
    "pirate_band": (Document.AUDIBLE_CONFIG, lambda one: one["fm_stations"][0].update(frequency_khz=120_000)),
}


def _draw_unreadable(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_A_DAY):
        found.append(Happening(at_ms, unit, "people.unreadable", 0, dice.choice(tuple(UNREADABLE))))
    return found


# A technician with a stick.


def _stick(world: World, happening: Happening) -> None:
    """A bundle for this device: of today, of some former day, of another commune, or with an alert on it."""
    if happening.who not in world.devices:
        return
    place, carried = place_of(world, happening.who), happening.words
    unit = UnitPath(place.rpartition("/")[0])
    if carried == "foreign":
        unit = world.communes[happening.number % len(world.communes)]
    found = bundle_of(world, unit)
    if carried == "old":
        former = [one for one in world.offices.signed.values() if one.kind is Document.SCHEDULE]
        former = [one for one in former if one.document.scope == unit]
        old = chosen(happening.number, former, name=lambda one: str(one.at))
        found = [*found[:-1], old] if old is not None else found
    elif carried == "alert" and unit in world.people.desks:
        alert = alert_of(world, unit, f"s{happening.at_ms}", life_ms=_NOTICED_MS)
        found.append(issue_alert(world, Document.ALERT, alert))
    plug(world, happening.who, pack_parcel(unit, tuple(one.envelope for one in found)))


def bundle_of(world: World, unit: UnitPath) -> list[Signed]:
    """All that is in force along a unit's ancestors, as its signers made it; schedules last."""
    above = ancestors(unit)
    found = [post.grant for (scope, _), post in world.offices.posts.items() if scope in above]
    found += [one for scope, one in world.offices.denials.items() if scope in above]
    desks = [world.people.desks[one] for one in above if one in world.people.desks]
    for kind in (Document.AUDIBLE_CONFIG, Document.SCHEDULE):
        found += [desk.newest[kind] for desk in desks if kind in desk.newest]
    return found


def _draw_sticks(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=_A_DAY / 2):
        carried = dice.choice(("fresh", "fresh", "old", "foreign", "alert"))
        found.append(Happening(at_ms, name, "people.stick", dice.randrange(1000), carried))
    return found


KINDS: Final = {
    "people.again": Kind(_again, _draw_again),
    "people.overtaken": Kind(_overtaken, _draw_overtaken),
    "people.false_date": Kind(_false_date, _draw_false_dates),
    "people.unreadable": Kind(_unreadable, _draw_unreadable),
    "people.stick": Kind(_stick, _draw_sticks),
}
