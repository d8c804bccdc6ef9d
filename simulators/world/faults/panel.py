"""People at the device, and buttons that do not do what people do: stuck, bouncing, all at once."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Final

from hardware.interfaces import Button
from simulators.world.faults.spell import spell
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.device import WorldDevice
    from simulators.world.world import World

_TALKS_A_DAY: Final = 0.5
_PRESSES_A_DAY: Final = 0.5
_STORMS_A_DAY: Final = 0.05
_PRESS_MS: Final = 300
_STORM_MS: Final = 12_000


def _talk(world: World, happening: Happening) -> None:
    """Somebody speaks for `number` milliseconds; with `emergency` the key is turned before, and back afterwards."""
    panel = world.devices[happening.who].panel
    if happening.words == "emergency":
        panel.press(Button.KEY, True)
        world.later(happening.number + 400, partial(panel.press, Button.KEY, False))
    panel.press(Button.TALK, True)
    world.later(happening.number, partial(panel.press, Button.TALK, False))


def _press(world: World, happening: Happening) -> None:
    """A hand presses one button."""
    panel, button = world.devices[happening.who].panel, Button(happening.words)
    panel.press(button, True)
    world.later(_PRESS_MS, partial(panel.press, button, False))


def _stuck(device: WorldDevice, words: str, on: bool) -> None:
    """The talk button stays down, with the key turned or not."""
    if words == "emergency":
        device.panel.press(Button.KEY, on)
    device.panel.press(Button.TALK, on)


def _storm(world: World, happening: Happening) -> None:
    """Water in the box: buttons come and go for some seconds, as `number` says."""
    dice, panel = random.Random(happening.number), world.devices[happening.who].panel
    buttons = (Button.TALK,) if happening.words == "talk" else tuple(Button)
    at_ms = 0
    while (at_ms := at_ms + dice.randrange(35, 900)) < _STORM_MS:
        world.later(at_ms, partial(panel.press, dice.choice(buttons), dice.random() < 0.5))
    for button in buttons:
        world.later(_STORM_MS, partial(panel.press, button, False))


def _draw_talks(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=_TALKS_A_DAY):
        lasts_ms = round(10 ** dice.uniform(2, 5.4))
        words = dice.choices(("", "emergency"), (4, 1))[0]
        found.append(Happening(at_ms, name, "panel.talk", min(lasts_ms, shape.calm_ms - at_ms), words))
    return found


def _draw_presses(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    buttons = (Button.STOP, Button.MESSAGE_1, Button.MESSAGE_1, Button.MESSAGE_2)
    found = sometimes(dice, shape, names, per_day=_PRESSES_A_DAY)
    return [Happening(at_ms, name, "panel.press", 0, dice.choice(buttons).value) for at_ms, name in found]


def _draw_storms(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=_STORMS_A_DAY):
        if at_ms + _STORM_MS < shape.calm_ms:
            found.append(Happening(at_ms, name, "panel.storm", dice.randrange(10**9), dice.choice(("talk", "all"))))
    return found


KINDS: Final = {
    "panel.talk": Kind(_talk, _draw_talks, fault=False),
    "panel.press": Kind(_press, _draw_presses, fault=False),
    **spell("panel.stuck", _stuck, per_day=0.05, lasts_s=(60, 7200), words=("", "", "emergency")),
    "panel.storm": Kind(_storm, _draw_storms),
}
