"""What people do to schedules and rules: items are added, moved, taken out, meant for one loudspeaker; rules change.

Not always well: items collide, begin in the past, name a station that is not there or a sound that nobody put into
the library, and now and then somebody deletes everything.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from protocol.audible_config import Fallback, Window
from protocol.bulletin import BulletinClass, CatchUp, Explicit, MediaRef
from protocol.clock import DAY_S, WallMs, local_second
from protocol.schedule import Content, Item, Programme, Relay
from protocol.stream import StreamRelay
from protocol.units import UnitPath
from simulators.world.office import PROVINCE, units_of
from simulators.world.paths import place_of
from simulators.world.people import MINUTE_MS, PROVINCE_FM, STREAM, Desk, in_words, words_of
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.world import World

_SCHEDULES_A_DAY: Final = 1.5
_RULES_A_DAY: Final = 0.4
_EMPTY_MS: Final = 30 * MINUTE_MS
_WRONG_PI: Final = "AAAA"
Words = dict[str, str]


# The schedule.


def _schedule(world: World, happening: Happening) -> None:
    """Something changes in a unit's schedule, and the whole is signed anew."""
    desk = world.people.desks.get(UnitPath(happening.who))
    if desk is not None:
        words = words_of(happening.words)
        _ACTS[words["act"]](world, desk, words)
        world.people.hand_in(world.people.schedule(desk.unit))


def _add(world: World, desk: Desk, words: Words) -> None:
    item = _item(world, desk, words, words["item"], int(words["in_s"]))
    desk.add(item)


def _move(world: World, desk: Desk, words: Words) -> None:
    """An item of today is said to be at another time; a second of the same day keeps its other days."""
    item = desk.pick(int(words["pick"]))
    if item is not None:
        desk.add(replace(item, when=Explicit((_soon(world, int(words["in_s"])),))))


def _drop(_: World, desk: Desk, words: Words) -> None:
    item = desk.pick(int(words["pick"]))
    if item is not None:
        del desk.items[item.id]
        desk.extras = [one for one in desk.extras if one != item.id]


def _collide(world: World, desk: Desk, words: Words) -> None:
    """Two priority items at one second, and the commune's word on which goes first."""
    in_s, name = int(words["in_s"]), words["item"]
    for one in ("a", "b"):
        desk.add(_item(world, desk, words | {"class": "priority"}, f"{name}{one}", in_s))
    desk.precedence = (f"{desk.unit}#{name}b",) if words["word"] == "yes" else ()


def _empty(world: World, desk: Desk, _: Words) -> None:
    """Everything is deleted, and half an hour later somebody is asked why the horns are silent."""
    kept, desk.items = desk.items, {}

    def bring_back() -> None:
        desk.items = kept | desk.items
        world.people.hand_in(world.people.schedule(desk.unit))

    world.later(_EMPTY_MS, bring_back)


_ACTS: Final[dict[str, Callable[[World, Desk, Words], None]]] = {
    "add": _add,
    "move": _move,
    "drop": _drop,
    "collide": _collide,
    "empty": _empty,
}


def _item(world: World, desk: Desk, words: Words, name: str, in_s: int) -> Item:
    start = _soon(world, in_s)
    kind = BulletinClass(words["class"])
    targets = (desk.unit,)
    if words["target"] in world.devices and place_of(world, words["target"]).startswith(f"{desk.unit}/"):
        targets = (place_of(world, words["target"]),)
    content = _content(world, desk, words, name)
    return Item(name, name, kind, content, Explicit((start,)), targets, CatchUp(words["catch_up"]))


def _content(world: World, desk: Desk, words: Words, name: str) -> Content:
    duration_ms, kind = int(words["seconds"]) * 1000, words["content"]
    if kind == "fm":
        return Relay(PROVINCE_FM.frequency_khz, duration_ms, PROVINCE_FM.pi)
    if kind == "wrong_pi":
        return Relay(PROVINCE_FM.frequency_khz, duration_ms, _WRONG_PI)
    if kind == "stream":
        return StreamRelay(STREAM, duration_ms)
    if kind == "missing":
        return Programme(MediaRef(f"{int(name[1:].rstrip('ab')):064x}", 1000, duration_ms))
    return Programme(world.people.sound(f"{desk.unit}/{name}", duration_ms))


def _soon(world: World, in_s: int) -> WallMs:
    """So many seconds from now, at a full second."""
    return WallMs((world.trace_wall() // 1000 + in_s) * 1000)


def _draw_schedules(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    """Most items are for the next hours, some for a minute ago."""
    found = []
    for at_ms, unit in sometimes(dice, shape, (*units_of(names), PROVINCE), per_day=_SCHEDULES_A_DAY):
        act = dice.choices(("add", "move", "drop", "collide", "empty"), (6, 2, 1, 1, 0.3))[0]
        words = in_words(
            act=act,
            item=f"x{at_ms}",
            pick=dice.randrange(1000),
            in_s=dice.choice((-60, -5, 1, 5, 20, 120, 600, 3600, dice.randrange(DAY_S // 4))),
            seconds=dice.choice((5, 40, 90, 180, 300, 600)),
            content=dice.choices(("programme", "fm", "wrong_pi", "stream", "missing"), (7, 1, 0.5, 1, 0.5))[0],
            target=dice.choice(("all", "all", dice.choice(names))),
            catch_up=dice.choice(tuple(CatchUp)),
            word=dice.choice(("yes", "no")),
            **{"class": dice.choice(tuple(BulletinClass))},
        )
        found.append(Happening(at_ms, unit, "people.schedule", 0, words))
    return found


# The rules of the horn.


def _rules(world: World, happening: Happening) -> None:
    """One of the rules of the horn changes to `number`."""
    desk = world.people.desks.get(UnitPath(happening.who))
    if desk is not None and desk.rules.version:
        change, number = happening.words, happening.number
        world.people.hand_in(world.people.rules(desk.unit, **_CHANGES[change](world, desk, number)))


def _midday(world: World, desk: Desk, number: int) -> dict[str, object]:
    """Quiet for an hour from soon on, besides the night."""
    begin_s = (local_second(world.trace_wall()) + number) % DAY_S
    return {"quiet_hours": (desk.rules.quiet_hours[0], Window(begin_s, (begin_s + 3600) % DAY_S))}


_CHANGES: Final[dict[str, Callable[[World, Desk, int], dict[str, object]]]] = {
    "quiet": _midday,
    "loud": lambda _, desk, __: {"quiet_hours": desk.rules.quiet_hours[:1]},
    "microphone": lambda _, __, number: {"microphone_in_quiet_hours": number % 2 == 0},
    "gain": lambda _, __, number: {"ordinary_attenuation_cdb": number, "emergency_attenuation_cdb": number // 2},
    "lead_in": lambda _, __, number: {"amplifier_lead_in_ms": number, "amplifier_hold_ms": 500 + 5 * number},
    "talk": lambda _, __, number: {"talk_ms_max": 10_000 + 400 * number},
    "fallback": lambda _, __, number: {"fallback": (Fallback.FM, Fallback.SILENCE)[number % 2]},
    "head_age": lambda _, __, number: {"head_age_ms_max": (4 + number % 200) * 60 * MINUTE_MS},
    "message": lambda _, desk, number: {"messages": desk.rules.messages[: number % 2]},
}


def _draw_rules(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_RULES_A_DAY):
        found.append(Happening(at_ms, unit, "people.rules", dice.randrange(2000), dice.choice(tuple(_CHANGES))))
    return found


KINDS: Final = {
    "people.schedule": Kind(_schedule, _draw_schedules, fault=False),
    "people.rules": Kind(_rules, _draw_rules, fault=False),
}
