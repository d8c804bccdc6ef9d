"""Attackers at every path: forged, altered, replayed, rubbish, too much; and words into live speech."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Final

from edge.core.events import ParcelReceived, Route
from protocol.document import Kind as Document
from protocol.limits import LIVE_SEGMENT_BYTES_MAX
from protocol.live import LiveSegment, unpack_segment
from protocol.topics import ALERT, DOC, LIVE, unit_topic
from protocol.units import UnitPath, covers
from simulators.world.attackers import WANTS, WAYS, forge, huge, rubbish
from simulators.world.office import Signed, units_of
from simulators.world.paths import PATHS, STICK, deliver, place_of, say
from simulators.world.people import chosen, in_words, words_of
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.world import World

_FORGED_A_DAY: Final = 1.0
_REPLAYED_A_DAY: Final = 1.0
_LIVE_A_DAY: Final = 0.3
_RUBBISH_A_DAY: Final = 0.3
_FLOODS_A_DAY: Final = 0.05
_FLOOD_MAX: Final = 120
_FLOOD_GAP_MS: Final = 250
_SIZES: Final = (0, 1, 30, 500, 9000, LIVE_SEGMENT_BYTES_MAX + 1)


def unit_at(world: World, who: str) -> UnitPath | None:
    """The unit that an attack is about: the named one, or the one in which the named device is now."""
    unit = UnitPath(place_of(world, who).rpartition("/")[0] if who in world.devices else who)
    return unit if unit in world.people.desks else None


def _aims(dice: random.Random, shape: Shape, names: tuple[str, ...], per_day: float) -> list[tuple[int, str]]:
    """Instants, so many for each commune and day; at the commune or at one of its loudspeakers."""
    units = units_of(names)
    found = []
    for at_ms, unit in sometimes(dice, shape, units, per_day=per_day):
        inside = [one for one in names if units_of((one,))[0] == unit]
        found.append((at_ms, dice.choice((unit, dice.choice(inside)))))
    return found


# Documents that nobody signed, and such as were signed before.


def _forged(world: World, happening: Happening) -> None:
    """A document made by somebody who may not, brought by one of the paths."""
    unit, words = unit_at(world, happening.who), words_of(happening.words)
    if unit is None:
        return
    made = forge(world, unit, way=words["way"], kind=Document(words["kind"]), name=f"{unit}/{happening.at_ms}")
    if made is not None:
        deliver(world, happening.who, words["path"], made.pack())


def _draw_forged(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, who in _aims(dice, shape, names, _FORGED_A_DAY):
        words = in_words(way=dice.choice(tuple(WAYS)), kind=dice.choice(tuple(WANTS)), path=dice.choice(PATHS))
        found.append(Happening(at_ms, who, "attack.forged", 0, words))
    return found


def _replayed(world: World, happening: Happening) -> None:
    """One of all documents that were ever signed along this unit; `number` says which."""
    unit = unit_at(world, happening.who)
    history = [] if unit is None else history_of(world, unit)
    old = chosen(happening.number, history, name=lambda one: f"{one.kind} {one.document.scope} {one.at}")
    if old is not None:
        deliver(world, happening.who, happening.words, old.envelope.pack())


def history_of(world: World, unit: UnitPath) -> list[Signed]:
    """All that was ever signed for a unit by itself and by those above."""
    return [one for one in world.offices.signed.values() if covers(one.document.scope, unit)]


def _draw_replayed(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    aims = _aims(dice, shape, names, _REPLAYED_A_DAY)
    return [
        Happening(at_ms, who, "attack.replayed", dice.randrange(10**6), dice.choice(PATHS)) for at_ms, who in aims
    ]


# Live speech.


def _live(world: World, happening: Happening) -> None:
    """Five segments, a second apart, of the session that was announced last: not those that were spoken."""
    unit = unit_at(world, happening.who)
    if unit is None or not world.people.desks[unit].speech:
        return
    for number, true in enumerate(world.people.desks[unit].speech[:5]):
        world.later(1000 * number, partial(say, world, unit, _segment(world, true, happening.words)))


def _segment(world: World, true: bytes, way: str) -> bytes:
    segment = unpack_segment(true)
    if way == "forged":
        bare = LiveSegment(segment.session_id, segment.counter + 1000, 1000, segment.sound, b"").signed_bytes()
        return bare + world.offices.key("stranger").sign(bare)
    if way == "swapped":
        other = LiveSegment(segment.session_id, segment.counter + 1000, 1000, b"\x00\x01\xff", segment.signature)
        return other.pack()
    return true[:-1] if way == "cut_off" else true


def _draw_live(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    aims = _aims(dice, shape, names, _LIVE_A_DAY)
    ways = ("replayed", "forged", "swapped", "cut_off")
    return [Happening(at_ms, who, "attack.live", 0, dice.choice(ways)) for at_ms, who in aims]


# Bytes that are nothing.


def _rubbish(world: World, happening: Happening) -> None:
    """So many bytes of nothing at one of the doors; `number` says which nothing."""
    unit, words = unit_at(world, happening.who), words_of(happening.words)
    if unit is None:
        return
    dice = world.chance.stream(f"rubbish {happening.number}")
    data = huge() if words["size"] == "huge" else rubbish(dice, size_bytes=int(words["size"]))
    throw(world, happening.who, words["door"], data)


def throw(world: World, who: str, door: str, data: bytes) -> None:
    """Raw bytes onto a topic, or into a device's slot as if they were a bundle."""
    if door != STICK:
        unit = place_of(world, who) if who in world.devices else UnitPath(who)
        world.broker.publish(unit_topic(unit, door), data)
    elif who in world.devices:
        world.devices[who].hand(ParcelReceived(data, Route.USB))


def _draw_rubbish(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, who in _aims(dice, shape, names, _RUBBISH_A_DAY):
        words = in_words(door=dice.choice((ALERT, DOC, LIVE, STICK)), size=dice.choice((*_SIZES, "huge")))
        found.append(Happening(at_ms, who, "attack.rubbish", dice.randrange(10**6), words))
    return found


def _flood(world: World, happening: Happening) -> None:
    """`number` messages of nothing, four a second."""
    unit = unit_at(world, happening.who)
    if unit is None:
        return
    dice = world.chance.stream(f"flood {happening.at_ms}")
    for number in range(min(happening.number, _FLOOD_MAX)):
        data = rubbish(dice, size_bytes=200)
        world.later(_FLOOD_GAP_MS * number, partial(throw, world, happening.who, happening.words, data))


def _draw_floods(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, who in _aims(dice, shape, names, _FLOODS_A_DAY):
        number = min(dice.randrange(10, _FLOOD_MAX), (shape.calm_ms - at_ms) // _FLOOD_GAP_MS)
        found.append(Happening(at_ms, who, "attack.flood", number, dice.choice((ALERT, DOC, LIVE))))
    return found


KINDS: Final = {
    "attack.forged": Kind(_forged, _draw_forged),
    "attack.replayed": Kind(_replayed, _draw_replayed),
    "attack.live": Kind(_live, _draw_live),
    "attack.rubbish": Kind(_rubbish, _draw_rubbish),
    "attack.flood": Kind(_flood, _draw_floods),
}
