"""Power: cuts, long outages, whole communes at once, brown-outs and boot loops, and a cut in the middle of a save."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Final

from protocol.units import UnitPath
from simulators.world.office import units_of
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.device import WorldDevice
    from simulators.world.world import World

_HOUR_MS: Final = 3_600_000
_CUTS_A_DAY: Final = 0.35
_OUTAGES_A_DAY: Final = 0.03
_COMMUNES_A_DAY: Final = 0.1
_BROWN_OUTS_A_DAY: Final = 0.12
_LOOPS_A_DAY: Final = 0.03
_SAVING_A_DAY: Final = 0.2
_WAIT_MS: Final = 20_000


def _cut(world: World, happening: Happening) -> None:
    """The power is off for `number` milliseconds."""
    world.devices[happening.who].cut(happening.number)


def _commune(world: World, happening: Happening) -> None:
    """Of a whole commune."""
    for device in world.devices.values():
        if device.identity.home == UnitPath(happening.who):
            device.cut(happening.number)


def _again_and_again(world: World, happening: Happening) -> None:
    """The power comes and goes: `words` tells after how many milliseconds it goes, each time for `number`."""
    device, at_ms = world.devices[happening.who], 0
    for one in happening.words.split():
        world.later(at_ms, partial(device.cut, happening.number))
        at_ms += happening.number + int(one)


def _saving(world: World, happening: Happening) -> None:
    """In the middle of the next save, `before` or `after` it is on the card; if none comes, some seconds later."""
    device = world.devices[happening.who]
    cut = partial(device.cut, happening.number)
    device.card.cut, device.card.cut_after = cut, happening.words == "after"
    world.later(min(_WAIT_MS, world.shape.calm_ms - happening.at_ms), partial(_at_last, device, cut))


def _at_last(device: WorldDevice, cut: partial[None]) -> None:
    if device.card.cut is cut:
        device.card.cut = None
        cut()


def _draw_cuts(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    """Most last seconds; some last hours."""
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=_CUTS_A_DAY):
        off_ms = round(10 ** dice.uniform(2, 7.15))
        found.append(Happening(at_ms, name, "power.cut", min(off_ms, shape.calm_ms - at_ms)))
    return found


def _draw_outages(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=_OUTAGES_A_DAY):
        off_ms = round(dice.uniform(6, 96) * _HOUR_MS)
        found.append(Happening(at_ms, name, "power.outage", min(off_ms, shape.calm_ms - at_ms)))
    return found


def _draw_communes(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, unit in sometimes(dice, shape, units_of(names), per_day=_COMMUNES_A_DAY):
        off_ms = round(10 ** dice.uniform(3, 7.2))
        found.append(Happening(at_ms, unit, "power.commune", min(off_ms, shape.calm_ms - at_ms)))
    return found


def _draw_brown_outs(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    """Most do not let the agent come up; a loop goes on for minutes."""
    found = []
    for what, per_day, times in (("power.brown_out", _BROWN_OUTS_A_DAY, 6), ("power.loop", _LOOPS_A_DAY, 60)):
        for at_ms, name in sometimes(dice, shape, names, per_day=per_day):
            off_ms, pauses = dice.randrange(100, 2500), []
            left_ms = shape.calm_ms - at_ms - off_ms
            for _ in range(dice.randrange(2, times)):
                on_ms = dice.randrange(200, 9000)
                left_ms -= on_ms + off_ms
                if left_ms < 0:
                    break
                pauses.append(str(on_ms))
            found.append(Happening(at_ms, name, what, off_ms, " ".join(pauses)))
    return found


def _draw_saving(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=_SAVING_A_DAY):
        off_ms = min(dice.randrange(500, 60_000), shape.calm_ms - at_ms)
        found.append(Happening(at_ms, name, "power.saving", off_ms, dice.choice(("before", "after"))))
    return found


KINDS: Final = {
    "power.cut": Kind(_cut, _draw_cuts),
    "power.outage": Kind(_cut, _draw_outages),
    "power.commune": Kind(_commune, _draw_communes),
    "power.brown_out": Kind(_again_and_again, _draw_brown_outs),
    "power.loop": Kind(_again_and_again),
    "power.saving": Kind(_saving, _draw_saving),
}
