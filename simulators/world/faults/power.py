"""Power: cuts, brown-outs that cut again before the agent is up, and boot loops."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.world import World

_CUTS_A_DAY: Final = 0.5
_OFF_MS_MAX: Final = 4 * 3_600_000


def _cut(world: World, happening: Happening) -> None:
    """The power is off for `number` milliseconds."""
    device = world.devices[happening.who]
    device.power_off()
    world.later(happening.number, device.power_on)


def _draw_cuts(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    """Most last seconds; some last hours."""
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=_CUTS_A_DAY):
        off_ms = round(10 ** dice.uniform(2, 7.15))
        found.append(Happening(at_ms, name, "power.cut", min(off_ms, _OFF_MS_MAX, shape.calm_ms - at_ms)))
    return found


KINDS: Final = {"power.cut": Kind(_cut, _draw_cuts)}
