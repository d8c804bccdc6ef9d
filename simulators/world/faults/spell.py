"""A fault that begins and ends: most of what breaks is mended after a while, at the latest when the calm begins."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.device import WorldDevice
    from simulators.world.world import World

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
_BLOCKS_H: Final = (5, 11, 17)
"""When a commune's blocks begin (`simulators.world.people`)."""
Put = Callable[["WorldDevice", str, bool], None]
"""Does it to a device with what the happening's words say, and takes it back."""
Draw = Callable[[random.Random, Shape, tuple[str, ...]], list[Happening]]


def spell(
    what: str,
    put: Put,
    *,
    per_day: float,
    lasts_s: tuple[float, float],
    words: tuple[str, ...] = ("",),
    near_sound: bool = True,
) -> dict[str, Kind]:
    """A kind of fault of one device.

    Args:
        lasts_s: the shortest and the longest, as the logarithm goes.
        words: one of them is drawn.
        near_sound: half of them fall into the time in which something sounds.
    """

    def apply(world: World, happening: Happening) -> None:
        device = world.devices[happening.who]
        put(device, happening.words, True)
        world.later(happening.number, lambda: put(device, happening.words, False))

    def draw(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
        found = []
        for drawn_ms, name in sometimes(dice, shape, names, per_day=per_day):
            at_ms = moved_to_sound(dice, drawn_ms) if near_sound else drawn_ms
            lasts_ms = round(1000 * lasts_s[0] * (lasts_s[1] / lasts_s[0]) ** dice.random())
            word = dice.choice(words)
            if at_ms < shape.calm_ms:
                found.append(Happening(at_ms, name, what, min(lasts_ms, shape.calm_ms - at_ms), word))
        return found

    return {what: Kind(apply, draw)}


def moved_to_sound(dice: random.Random, at_ms: int) -> int:
    """Half of them: to one of the blocks of the same day, or shortly before."""
    block_ms = dice.choice(_BLOCKS_H) * HOUR_MS + dice.randrange(-2 * MINUTE_MS, 12 * MINUTE_MS)
    return at_ms if dice.random() < 0.5 else at_ms // DAY_MS * DAY_MS + block_ms
