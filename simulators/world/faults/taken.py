"""The controller, its key, its disk or the broker in foreign hands; and boxes that are not what they say they are.

None of them may make one loudspeaker speak. What they can do is silence, a wrong hour where nothing contradicts the
stolen key, and false reports: unsigned, so they are told apart only by who may write where (threat_model.md).
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind as Document
from protocol.envelope import Envelope, sign
from protocol.freshness import Head, Newest
from protocol.parcel import pack_parcel
from protocol.report import AsRun, EndReason, Receipt, Report, Standing
from protocol.topics import DOC, unit_topic, up_topic
from protocol.units import UnitPath
from simulators.world.attackers import WANTS, forge, huge
from simulators.world.faults.attackers import history_of, unit_at
from simulators.world.office import units_of
from simulators.world.paths import DOC_PATH, PATHS, Lie, deliver, place_of
from simulators.world.people import MINUTE_MS, in_words, words_of
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.world import World

_TAKEN_A_DAY: Final = 0.05
_HEADS_A_DAY: Final = 0.3
_RETAINED_A_DAY: Final = 0.2
_MEDIA_A_DAY: Final = 0.2
_REPORTS_A_DAY: Final = 0.1
_LASTS_MS_MAX: Final = 3 * 60 * MINUTE_MS
_EVERYWHERE: Final = "controller"
_LIES_MS: Final = (-400 * DAY_MS, -DAY_MS, -10 * MINUTE_MS, -90_000, 90_000, 10 * MINUTE_MS, DAY_MS, 400 * DAY_MS)


def _lasts(dice: random.Random, shape: Shape, at_ms: int) -> int:
    return min(round(10 ** dice.uniform(4, 7)), _LASTS_MS_MAX, shape.calm_ms - at_ms)


# The freshness key.


def _clock(world: World, happening: Happening) -> None:
    """Whoever has the freshness key answers for `number` milliseconds with another hour."""
    _take(world, Lie(clock_ms=int(happening.words)), happening.number)


def _take(world: World, lie: Lie, lasts_ms: int) -> None:
    world.front.take(lie)
    world.later(lasts_ms, lambda: world.front.leave(lie))


def _draw_clocks(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    return [
        Happening(at_ms, who, "attack.clock", _lasts(dice, shape, at_ms), str(dice.choice(_LIES_MS)))
        for at_ms, who in sometimes(dice, shape, (_EVERYWHERE,), per_day=_TAKEN_A_DAY * len(units_of(names)))
    ]


def false_head(world: World, unit: UnitPath, way: str) -> Envelope:
    """A head under the stolen key, or beside it: names what is not, comes from the future, or from before."""
    wall, key = world.trace_wall(), world.offices.freshness
    newest = (Newest(unit, Document.SCHEDULE, 10**9),) if way == "names_nothing" else ()
    offset_ms = {"future": DAY_MS, "soon": 100_000, "past": -DAY_MS}.get(way, 0)
    if way == "stranger":
        key = world.offices.key("stranger")
    return sign(Document.HEAD, codec.encode(Head(unit, WallMs(wall + offset_ms), newest)), [key])


def _head(world: World, happening: Happening) -> None:
    """A false head for a unit."""
    unit = unit_at(world, happening.who)
    if unit is not None:
        deliver(world, unit, DOC_PATH, false_head(world, unit, happening.words).pack())


def _draw_heads(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    ways = ("names_nothing", "future", "soon", "past", "stranger")
    aims = sometimes(dice, shape, units_of(names), per_day=_HEADS_A_DAY)
    return [Happening(at_ms, unit, "attack.head", 0, dice.choice(ways)) for at_ms, unit in aims]


# The broker and the disk.


def _retained(world: World, happening: Happening) -> None:
    """The parcel that the broker keeps for a unit is an old one, nothing, or no parcel at all, until the next one."""
    unit = unit_at(world, happening.who)
    if unit is None:
        return
    old = history_of(world, unit)[:8]
    parcels = {
        "old": pack_parcel(unit, tuple(one.envelope for one in old)),
        "emptied": b"",
        "rubbish": b"{" * 500,
        "huge": huge(),
    }
    world.broker.publish(unit_topic(unit, DOC), parcels[happening.words], retain=True)


def _draw_retained(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    aims = sometimes(dice, shape, units_of(names), per_day=_RETAINED_A_DAY)
    ways = ("old", "emptied", "rubbish", "huge")
    return [Happening(at_ms, unit, "attack.retained", 0, dice.choice(ways)) for at_ms, unit in aims]


def _media(world: World, happening: Happening) -> None:
    """Whatever programme is asked for, other bytes are given for `number` milliseconds."""
    _take(world, Lie(media=happening.words), happening.number)


def _draw_media(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    return [
        Happening(at_ms, who, "attack.media", _lasts(dice, shape, at_ms), dice.choice(("short", "same", "long")))
        for at_ms, who in sometimes(dice, shape, (_EVERYWHERE,), per_day=_MEDIA_A_DAY)
    ]


def _controller(world: World, happening: Happening) -> None:
    """All of it for `number` milliseconds: it answers nobody, or with another hour, and says what it likes."""
    words = words_of(happening.words)
    _take(world, Lie(clock_ms=int(words["clock"]), mute=words["mute"] == "yes", media="same"), happening.number)
    for number, unit in enumerate(world.communes[:4]):
        for kind in WANTS:
            made = forge(world, unit, way=words["way"], kind=kind, name=f"{unit}/{happening.at_ms}")
            if made is not None:
                deliver(world, unit, PATHS[number % len(PATHS)], made.pack())


def _draw_controllers(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, who in sometimes(dice, shape, (_EVERYWHERE,), per_day=_TAKEN_A_DAY * len(units_of(names))):
        ways = ("freshness", "stranger", "named", "retyped", "neighbour")
        words = in_words(clock=dice.choice(_LIES_MS), mute=dice.choice(("yes", "no")), way=dice.choice(ways))
        found.append(Happening(at_ms, who, "attack.controller", _lasts(dice, shape, at_ms), words))
    return found


# Reports.


def _report(world: World, happening: Happening) -> None:
    """Somebody at the broker says in a device's name that it was heard, or that it refused."""
    if happening.who in world.devices:
        made = false_report(world, happening)
        world.broker.publish(up_topic(happening.who, type(made)), codec.encode(made))


def false_report(world: World, happening: Happening) -> Report:
    """Of the commune's newest schedule."""
    wall, name = world.trace_wall(), happening.who
    unit = UnitPath(place_of(world, name).rpartition("/")[0])
    newest = world.people.desks[unit].newest[Document.SCHEDULE].envelope.digest
    if happening.words == "receipt":
        return Receipt(name, newest, Document.SCHEDULE, Standing.HEARD, wall)
    made = f"false-{happening.at_ms}"
    world.front.false_reports.add(made)
    return AsRun(made, name, 6, "0" * 64, wall, WallMs(wall + 60_000), EndReason.COMPLETE, -1800, document=newest)


def _draw_reports(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    aims = sometimes(dice, shape, names, per_day=_REPORTS_A_DAY)
    return [Happening(at_ms, name, "attack.report", 0, dice.choice(("receipt", "as_run"))) for at_ms, name in aims]


KINDS: Final = {
    "attack.clock": Kind(_clock, _draw_clocks),
    "attack.head": Kind(_head, _draw_heads),
    "attack.retained": Kind(_retained, _draw_retained),
    "attack.media": Kind(_media, _draw_media),
    "attack.controller": Kind(_controller, _draw_controllers),
    "attack.report": Kind(_report, _draw_reports),
}
