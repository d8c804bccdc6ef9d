"""What happens on purpose, at its worst instant: kinds that no seed draws, for days that are written by hand.

A grant that comes after what it allows, rules that only the province has signed, a word for one horn on everybody's
topic, an old word by its name: a rule that is put to the test by each of these would wait for weeks of drawn worlds.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from protocol.alert import Alert, Part, Stop
from protocol.clock import WallMs
from protocol.codec import encode
from protocol.document import Kind as Document
from protocol.envelope import sign
from protocol.units import UnitPath
from simulators.world.faults.attackers import history_of
from simulators.world.faults.emergencies import alert_of
from simulators.world.faults.taken import false_head
from simulators.world.office import OPERATOR, PROVINCE
from simulators.world.paths import ALERT_PATH, STICK, deliver, place_of
from simulators.world.people import MINUTE_MS, words_of
from simulators.world.plan import Happening, Kind

if TYPE_CHECKING:
    from simulators.world.world import World

_LIFE_MS: Final = 5 * MINUTE_MS
_NUMBER: Final = 7_000_000


def _rules_above(world: World, _: Happening) -> None:
    """The province signs rules as well: no quiet hours, another volume. Communes have their own, which are nearer."""
    if PROVINCE in world.people.desks:
        rules = world.people.rules(PROVINCE, quiet_hours=(), ordinary_attenuation_cdb=1500)
        world.people.hand_in(rules)


def _early(world: World, happening: Happening) -> None:
    """An emergency under a new key arrives; the grant that allows it comes after `number` milliseconds."""
    unit, at = UnitPath(happening.who), world.trace_wall()
    if unit not in world.people.desks:
        return
    grant = world.offices.renew(unit, at=at, key=f"{unit}/{OPERATOR} {happening.at_ms}")
    alert = alert_of(world, unit, f"e{happening.at_ms}", life_ms=2 * MINUTE_MS)
    made = world.people.issue(Document.ALERT, alert)
    deliver(world, unit, ALERT_PATH, made.envelope.pack())
    late = (grant, world.people.rules(unit), world.people.schedule(unit))
    for signed in late:
        world.later(happening.number, partial(world.people.hand_in, signed))


def _astray(world: World, happening: Happening) -> None:
    """A stop for one loudspeaker, named in the words, comes to all of its commune."""
    unit, wall = UnitPath(happening.who), world.trace_wall()
    if unit not in world.people.desks or happening.words not in world.devices:
        return
    sequence = world.offices.next(f"sequence {unit}")
    until, target = WallMs(wall + happening.number), place_of(world, happening.words)
    stop = Stop(unit, sequence, wall, WallMs(wall + _LIFE_MS), until, (target,))
    deliver(world, unit, ALERT_PATH, world.people.issue(Document.STOP, stop).envelope.pack())


def _above(world: World, happening: Happening) -> None:
    """An insider: the commune's operator signs an emergency in the province's name."""
    unit, wall = UnitPath(happening.who), world.trace_wall()
    if unit not in world.people.desks:
        return
    life, parts = WallMs(wall + _LIFE_MS), (Part("vi", "Lệnh của tỉnh"),)
    alert = Alert(PROVINCE, f"{unit}/above", _NUMBER, wall, life, 4, (unit,), parts)
    keys = [world.offices.key(one) for one in world.offices.posts[unit, OPERATOR].signers]
    deliver(world, unit, happening.words, sign(Document.ALERT, encode(alert), keys).pack())


def _again(world: World, happening: Happening) -> None:
    """The first that was ever signed of a kind, or what has a name, comes once more by a path."""
    unit, words = UnitPath(happening.who), words_of(happening.words)
    for one in history_of(world, unit):
        name = str(getattr(one.document, "id", "")).rpartition("/")[2]
        if words["what"] in (str(one.kind), name):
            deliver(world, unit, words["path"], one.envelope.pack())
            return


def _head_on_stick(world: World, happening: Happening) -> None:
    """Somebody brings a device without a network a head that he signed himself."""
    if happening.who in world.devices:
        unit = UnitPath(place_of(world, happening.who).rpartition("/")[0])
        deliver(world, happening.who, STICK, false_head(world, unit, "stranger").pack())


def _bus(world: World, happening: Happening) -> None:
    """The tuner sounds on, and tells nothing of it for `number` milliseconds: its bus hangs."""
    defects = world.devices[happening.who].defects
    defects.tuner_dead = True
    world.later(happening.number, lambda: setattr(defects, "tuner_dead", False))


KINDS: Final = {
    "people.rules_above": Kind(_rules_above, fault=False),
    "people.early": Kind(_early, fault=False),
    "people.astray": Kind(_astray),
    "attack.above": Kind(_above),
    "attack.again": Kind(_again),
    "attack.head_on_stick": Kind(_head_on_stick),
    "radio.bus": Kind(_bus),
}
