"""Controller: crashes, in the middle of a commit too, an old backup, a second one by mistake, a wrong clock, a full
disk.

All of it is done to its computer; nothing but signed documents ever goes to devices from here.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from simulators.world.database import Doom
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.world import World

CONTROLLER: Final = "controller"
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_NOTICED_MS: Final = 10 * _MINUTE_MS
_NOW: Final = "now"
_CLOCK_ERRORS_MS: Final = (2 * _MINUTE_MS, 20 * _MINUTE_MS, 7 * _HOUR_MS, 3 * _DAY_MS, 100 * _DAY_MS)


def down_for(world: World, down_ms: int) -> None:
    """The controller dies and comes back."""
    world.controller.crash()
    world.later(down_ms, world.controller.start)


def _crash(world: World, happening: Happening) -> None:
    """Off for `number` milliseconds: now, or from just before or just after its next commit on."""
    controller = world.controller
    if happening.words == _NOW:
        down_for(world, happening.number)
        return
    controller.crash_at_commit(Doom(happening.words))
    world.later(happening.number, controller.spare)
    world.later(happening.number, controller.start)


def _back_up(world: World, happening: Happening) -> None:
    """Somebody makes a backup."""
    world.controller.back_up()


def _restore(world: World, happening: Happening) -> None:
    """The disk breaks; after `number` milliseconds it runs again from the backup.

    Some minutes later somebody has noticed, and the offices hand in again what was signed since.
    """
    controller = world.controller
    controller.crash()
    controller.restore()
    world.later(happening.number, controller.start)
    world.later(happening.number + _NOTICED_MS, controller.hand_in_again)


def _second(world: World, happening: Happening) -> None:
    """For `number` milliseconds it runs twice, the second time on a copy of its directory."""
    world.controller.start_second()
    world.later(happening.number, world.controller.stop_second)


def _wrong_clock(world: World, happening: Happening) -> None:
    """For `number` milliseconds its clock is off by as many as `words` says."""
    error_ms = int(happening.words)
    world.controller.turn_clock(error_ms)
    world.later(happening.number, lambda: world.controller.turn_clock(-error_ms))


def _full(world: World, happening: Happening) -> None:
    """For `number` milliseconds nothing more can be stored."""
    world.controller.fill_disk(full=True)
    world.later(happening.number, lambda: world.controller.fill_disk(full=False))


def _lasting(
    dice: random.Random, shape: Shape, what: str, *, per_day: float, from_ms: int, to_ms: int
) -> list[Happening]:
    found = []
    for at_ms, name in sometimes(dice, shape, (CONTROLLER,), per_day=per_day):
        lasts_ms = round(from_ms * (to_ms / from_ms) ** dice.random())
        found.append(Happening(at_ms, name, what, max(1, min(lasts_ms, shape.calm_ms - at_ms))))
    return found


def _worded(found: list[Happening], words: list[str]) -> list[Happening]:
    return [Happening(one.at_ms, one.who, one.what, one.number, said) for one, said in zip(found, words, strict=True)]


def _draw_crashes(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = _lasting(dice, shape, "controller.crash", per_day=1.0, from_ms=2000, to_ms=4 * _HOUR_MS)
    kinds = (_NOW, Doom.BEFORE_COMMIT.value, Doom.AFTER_COMMIT.value)
    return _worded(found, [dice.choice(kinds) for _ in found])


def _draw_back_ups(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    return [
        Happening(at_ms, name, "controller.back_up")
        for at_ms, name in sometimes(dice, shape, (CONTROLLER,), per_day=1.0)
    ]


def _draw_restores(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = _lasting(dice, shape, "controller.restore", per_day=0.12, from_ms=_MINUTE_MS, to_ms=_DAY_MS)
    return [one for one in found if one.at_ms + one.number + _NOTICED_MS < shape.calm_ms]


def _draw_seconds(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    return _lasting(dice, shape, "controller.second", per_day=0.1, from_ms=_MINUTE_MS, to_ms=_DAY_MS)


def _draw_clocks(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = _lasting(dice, shape, "controller.wrong_clock", per_day=0.15, from_ms=_MINUTE_MS, to_ms=_DAY_MS)
    return _worded(found, [str(dice.choice(_CLOCK_ERRORS_MS) * dice.choice((-1, 1))) for _ in found])


def _draw_full(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    return _lasting(dice, shape, "controller.full_disk", per_day=0.12, from_ms=_MINUTE_MS, to_ms=_DAY_MS)


KINDS: Final = {
    "controller.crash": Kind(_crash, _draw_crashes),
    "controller.back_up": Kind(_back_up, _draw_back_ups, fault=False),
    "controller.restore": Kind(_restore, _draw_restores),
    "controller.second": Kind(_second, _draw_seconds),
    "controller.wrong_clock": Kind(_wrong_clock, _draw_clocks),
    "controller.full_disk": Kind(_full, _draw_full),
}
