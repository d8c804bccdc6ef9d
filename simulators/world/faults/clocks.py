"""Clocks: a chip that is dead, stopped, stuck, drifting or set wrong, time servers that lie or are away, a radio.

The agent believes two sources that agree. So that no two liars agree by chance, each kind of lie has a figure of its
own: hours and 13 minutes who sets a clock wrong, hours and 29 a chip, hours and 37 a time server, whole hours a
station.
"""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Final

from edge.core.events import BoardPart
from simulators.world.air import STATIONS
from simulators.world.faults.spell import DAY_MS, HOUR_MS, MINUTE_MS, spell
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.device import WorldDevice
    from simulators.world.world import World

_RADIO_A_DAY: Final = 0.2
_LEAP_A_DAY: Final = 0.05
_YEAR_MS: Final = 365 * DAY_MS
_SET_MS: Final = 13 * MINUTE_MS
_CHIP_MS: Final = 29 * MINUTE_MS
_NTP_MS: Final = 37 * MINUTE_MS


def _wall(device: WorldDevice, words: str, on: bool) -> None:
    """Somebody sets the system's clock wrong, and somebody else sets it right."""
    computer = device.computer
    if computer is not None:
        computer.clock.step(int(words) if on else -computer.clock.error_ms)


def _chip_set(device: WorldDevice, words: str, on: bool) -> None:
    """A technician sets the chip wrong, and comes back."""
    if device.chip is not None and not device.chip.dead:
        device.chip.put(device.true_wall() + (int(words) if on else 0))


def _chip(device: WorldDevice, words: str, on: bool) -> None:
    """It is dead, knows that it has stopped, tells one time for ever, or runs wrong."""
    chip = device.chip
    if chip is None:
        return
    if words == "dead":
        chip.dead = on
        device.sicken(BoardPart.CLOCK_CHIP, "the clock chip does not answer" if on else "")
    elif words == "stopped":
        chip.stopped = on
    elif words == "stuck":
        chip.halt(on)
    else:
        chip.drift_ppm = 3000.0 if on else 1.0
    if not on and not chip.dead:
        chip.put(device.true_wall())


def _servers(device: WorldDevice, words: str, on: bool) -> None:
    """They are away, or lie so much."""
    if words == "away":
        device.servers.away = on
    else:
        device.servers.error_ms = int(words) if on else 0


def _cell(device: WorldDevice, words: str, on: bool) -> None:
    if device.cell is not None:
        device.cell = int(words) if on else 0


def _radio(world: World, happening: Happening) -> None:
    """The station's clock-time is off by hours, as when somebody forgot the time zone."""
    khz = STATIONS[0].frequency_khz
    world.air.clock_lies[khz] = int(happening.words)
    world.later(happening.number, partial(_radio_right, world, khz))


def _radio_right(world: World, khz: int) -> None:
    world.air.clock_lies.pop(khz, None)


def _leap(world: World, happening: Happening) -> None:
    """A leap second: until it has got about, all time servers are a second off, and clocks are stepped twice."""
    for device in world.devices.values():
        device.servers.error_ms += int(happening.words)
        world.later(happening.number, partial(_after_leap, device, int(happening.words)))


def _after_leap(device: WorldDevice, by_ms: int) -> None:
    device.servers.error_ms -= by_ms
    if device.computer is not None:
        device.computer.clock.step(-by_ms if device.computer.daemon.holds else 0)


def _draw_radio(dice: random.Random, shape: Shape, _: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, who in sometimes(dice, shape, ("air",), per_day=_RADIO_A_DAY):
        lasts_ms = min(dice.randrange(HOUR_MS, DAY_MS), shape.calm_ms - at_ms)
        found.append(Happening(at_ms, who, "clock.radio", lasts_ms, str(dice.choice((1, 7)) * HOUR_MS)))
    return found


def _draw_leaps(dice: random.Random, shape: Shape, _: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, who in sometimes(dice, shape, ("air",), per_day=_LEAP_A_DAY):
        lasts_ms = min(dice.randrange(MINUTE_MS, 3 * HOUR_MS), shape.calm_ms - at_ms)
        found.append(Happening(at_ms, who, "clock.leap", lasts_ms, dice.choice(("1000", "-1000"))))
    return found


_STEPS: Final = tuple(str(one + _SET_MS) for one in (-_YEAR_MS, -DAY_MS, HOUR_MS, DAY_MS, _YEAR_MS))
_CHIP_LIES: Final = tuple(str(one + _CHIP_MS) for one in (-_YEAR_MS, -DAY_MS, HOUR_MS, DAY_MS))
_NTP_LIES: Final = (*(str(one + _NTP_MS) for one in (HOUR_MS, 5 * HOUR_MS, 3 * DAY_MS)), "45000", "-45000")
KINDS: Final = {
    **spell("clock.wall", _wall, per_day=0.08, lasts_s=(60, 36_000), words=_STEPS),
    **spell("clock.chip_set", _chip_set, per_day=0.06, lasts_s=(600, 36_000), words=_CHIP_LIES),
    **spell("clock.chip", _chip, per_day=0.12, lasts_s=(60, 86_400), words=("dead", "stopped", "stuck", "drifts")),
    **spell("clock.servers", _servers, per_day=0.15, lasts_s=(600, 172_800), words=("away", "away", *_NTP_LIES)),
    **spell("clock.cell", _cell, per_day=0.03, lasts_s=(600, 36_000), words=(str(2 * HOUR_MS + 41 * MINUTE_MS),)),
    "clock.radio": Kind(_radio, _draw_radio),
    "clock.leap": Kind(_leap, _draw_leaps),
}
