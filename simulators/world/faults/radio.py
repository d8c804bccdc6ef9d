"""The air: fades, stations that are off or taken by a stranger, RDS that cannot be read, a dead tuner."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from edge.core.events import BoardPart
from simulators.world.air import STATIONS, Station
from simulators.world.faults.spell import moved_to_sound, spell
from simulators.world.people import in_words, words_of
from simulators.world.plan import Happening, Kind, Shape, sometimes
from simulators.world.speaker import Block

if TYPE_CHECKING:
    from simulators.world.device import WorldDevice
    from simulators.world.world import World

_OFF_A_DAY: Final = 0.5
_FOREIGN_A_DAY: Final = 0.12
_FOREIGN_PI: Final = "3F5A"
_FADE_STEPS: Final = 6


def _fade(device: WorldDevice, words: str, on: bool) -> None:
    """It comes in weaker, from one second to the next or little by little."""
    told = words_of(words)
    depth_db = int(told["db"]) if on else 0
    if told["how"] == "steep":
        device.reception.fade_db = depth_db
        return
    former_db, loop = device.reception.fade_db, asyncio.get_running_loop()
    for step in range(1, _FADE_STEPS + 1):
        now_db = former_db + (depth_db - former_db) * step // _FADE_STEPS
        loop.call_later(step, _fade_to, device, now_db)


def _fade_to(device: WorldDevice, db: int) -> None:
    device.reception.fade_db = db


def _nameless(device: WorldDevice, words: str, on: bool) -> None:
    """Its RDS is not received, or not always rightly."""
    names = device.reception.garbled if words == "garbled" else device.reception.nameless
    for station in STATIONS:
        (names.add if on else names.discard)(station.frequency_khz)


def _tuner(device: WorldDevice, _: str, on: bool) -> None:
    """The chip does not answer; FM that sounds falls silent."""
    device.defects.tuner_dead = on
    device.block(Block.TUNER, on)
    device.sicken(BoardPart.TUNER, "the FM chip does not answer" if on else "")


def _foreign(device: WorldDevice, words: str, on: bool) -> None:
    """A stranger covers a station: with a name of its own, with none, or with the stolen one."""
    told = words_of(words)
    own = STATIONS[int(told["station"])]
    if on:
        pi = {"other": _FOREIGN_PI, "none": None, "stolen": own.pi}[told["pi"]]
        device.reception.foreign[own.frequency_khz] = Station(own.frequency_khz, pi, own.rssi_dbuv + int(told["db"]))
    else:
        device.reception.foreign.pop(own.frequency_khz, None)


def _off(world: World, happening: Happening) -> None:
    """A station is off the air for `number` milliseconds."""
    frequency_khz = int(happening.words)
    world.air.off.add(frequency_khz)
    world.later(happening.number, lambda: world.air.off.discard(frequency_khz))


def _draw_off(dice: random.Random, shape: Shape, _: tuple[str, ...]) -> list[Happening]:
    found = []
    for drawn_ms, who in sometimes(dice, shape, ("air",), per_day=_OFF_A_DAY):
        at_ms = moved_to_sound(dice, drawn_ms)
        lasts_ms = round(10 ** dice.uniform(3, 6.8))
        if at_ms < shape.calm_ms:
            words = str(dice.choice(STATIONS).frequency_khz)
            found.append(Happening(at_ms, who, "radio.off", min(lasts_ms, shape.calm_ms - at_ms), words))
    return found


_FADES: Final = tuple(in_words(db=db, how=how) for db in (8, 15, 25, 45) for how in ("steep", "slow"))
_STRANGERS: Final = tuple(
    in_words(station=station, pi=pi, db=db)
    for station in range(len(STATIONS))
    for pi in ("other", "none", "stolen")
    for db in (2, 20)
)
KINDS: Final = {
    **spell("radio.fade", _fade, per_day=0.3, lasts_s=(7, 1800), words=_FADES),
    **spell("radio.nameless", _nameless, per_day=0.1, lasts_s=(2, 7200), words=("nameless", "garbled")),
    **spell("radio.tuner", _tuner, per_day=0.06, lasts_s=(2, 7200)),
    **spell("radio.foreign", _foreign, per_day=_FOREIGN_A_DAY, lasts_s=(2, 7200), words=_STRANGERS),
    "radio.off": Kind(_off, _draw_off),
}
