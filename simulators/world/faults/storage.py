"""The card: full, failing, slow, hung, rotten, damaged, and one that says that it has stored what it has not."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Final

from simulators.world.faults.spell import HOUR_MS, spell
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.device import WorldDevice
    from simulators.world.world import World

_ROT_A_DAY: Final = 0.06
_DAMAGE_A_DAY: Final = 0.04
_LIES_A_DAY: Final = 0.06
_OFF_MS: Final = 1500


def _full(device: WorldDevice, _: str, on: bool) -> None:
    device.card.become_full(on)
    device.hindrances.put("card full", on)


def _broken(device: WorldDevice, _: str, on: bool) -> None:
    device.card.broken = on
    device.hindrances.put("card fails", on)


def _slow(device: WorldDevice, words: str, on: bool) -> None:
    device.card.slow_ms = int(words) if on else 0
    device.hindrances.put("card slow", on)


def _stuck(device: WorldDevice, _: str, on: bool) -> None:
    device.card.stuck = on
    device.hindrances.put("card hangs", on)
    if not on and device.agent is not None:
        device.agent.card_moves()


def _damaged(world: World, happening: Happening) -> None:
    """The database is not whole any more, which the next start finds."""
    device = world.devices[happening.who]
    device.card.damage_state()
    device.cut(_OFF_MS)


def _rot(world: World, happening: Happening) -> None:
    """A bit falls in a stored medium, or in the outbox."""
    device = world.devices[happening.who]
    if happening.words == "letters":
        lost = device.card.rot_letters(happening.number)
        if lost:
            world.trace.tell(device.name, "letters.lost", str(len(lost)), lost)
    else:
        device.card.rot_media(happening.number)


def _lies(world: World, happening: Happening) -> None:
    """For `number` milliseconds the last seconds are never really stored; then the power is cut, and it is honest."""
    device = world.devices[happening.who]
    device.card.lies_s = float(happening.words)
    world.later(happening.number, partial(_found_out, device))


def _found_out(device: WorldDevice) -> None:
    device.cut(_OFF_MS)
    device.card.lies_s = 0.0


def _draw_rot(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=_ROT_A_DAY):
        found.append(Happening(at_ms, name, "storage.rot", dice.randrange(1000), dice.choice(("media", "letters"))))
    return found


def _draw_damage(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = sometimes(dice, shape, names, per_day=_DAMAGE_A_DAY)
    return [Happening(at_ms, name, "storage.damaged") for at_ms, name in found if at_ms + _OFF_MS < shape.calm_ms]


def _draw_lies(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=_LIES_A_DAY):
        lasts_ms = min(dice.randrange(60_000, 12 * HOUR_MS), shape.calm_ms - at_ms - _OFF_MS)
        if lasts_ms > 0:
            found.append(Happening(at_ms, name, "storage.lies", lasts_ms, dice.choice(("2", "10", "30"))))
    return found


KINDS: Final = {
    **spell("storage.full", _full, per_day=0.1, lasts_s=(10, 4 * 3600)),
    **spell("storage.broken", _broken, per_day=0.06, lasts_s=(1, 1800)),
    **spell("storage.slow", _slow, per_day=0.1, lasts_s=(30, 3600), words=("150", "700", "2500", "8000")),
    **spell("storage.stuck", _stuck, per_day=0.05, lasts_s=(5, 300)),
    "storage.damaged": Kind(_damaged, _draw_damage),
    "storage.rot": Kind(_rot, _draw_rot),
    "storage.lies": Kind(_lies, _draw_lies),
}
