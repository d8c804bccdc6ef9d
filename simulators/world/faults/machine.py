"""The computer and the microcontroller beside it: an agent that hangs or dies, a guardian that does, the supply."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from edge.core.events import BoardPart
from simulators.world.faults.spell import moved_to_sound, spell
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.device import WorldDevice
    from simulators.world.world import World

_HANGS_A_DAY: Final = 0.12
_CRASHES_A_DAY: Final = 0.1
_HANG_MS_MAX: Final = 15_000


def _hang(world: World, happening: Happening) -> None:
    """The agent stands still for `number` milliseconds; its watchdog ends it when that is too long."""
    world.devices[happening.who].hang(happening.number)


def _crash(world: World, happening: Happening) -> None:
    """The agent dies, as by kill -9; the service manager starts it anew."""
    world.devices[happening.who].crash()


def _guardian(device: WorldDevice, words: str, on: bool) -> None:
    """It dies, and with it all sound; or its cable to the computer is pulled."""
    guardian = device.guardian
    if guardian is None:
        return
    if words == "dead":
        guardian.fail(on)
    else:
        guardian.pull(on)
    if not on and device.agent is not None:
        guardian.live(True)
    device.sicken(BoardPart.GUARDIAN, "the guardian does not answer" if on else "")


def _power(device: WorldDevice, _: str, on: bool) -> None:
    """The supply is weak, as the board sees it; nothing falls silent because of that alone."""
    device.sicken(BoardPart.POWER, "the supply is too low" if on else "")


def _draw_hangs(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for drawn_ms, name in sometimes(dice, shape, names, per_day=_HANGS_A_DAY):
        at_ms, lasts_ms = moved_to_sound(dice, drawn_ms), round(10 ** dice.uniform(2, 4.3))
        if at_ms + _HANG_MS_MAX < shape.calm_ms:
            found.append(Happening(at_ms, name, "agent.hang", min(lasts_ms, _HANG_MS_MAX)))
    return found


def _draw_crashes(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = sometimes(dice, shape, names, per_day=_CRASHES_A_DAY)
    return [Happening(at_ms, name, "agent.crash") for at_ms, name in found if at_ms + _HANG_MS_MAX < shape.calm_ms]


KINDS: Final = {
    "agent.hang": Kind(_hang, _draw_hangs),
    "agent.crash": Kind(_crash, _draw_crashes),
    **spell("guardian.fails", _guardian, per_day=0.06, lasts_s=(2, 7200), words=("dead", "cable")),
    **spell("power.weak", _power, per_day=0.03, lasts_s=(60, 7200)),
}
