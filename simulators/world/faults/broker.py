"""Broker: it restarts with and without what it kept, is away for hours, forgets, and has two boxes of one name."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from simulators.world.faults.controller import down_for
from simulators.world.plan import Happening, Kind, Shape, sometimes
from simulators.world.twin import Twin

if TYPE_CHECKING:
    from simulators.world.world import World

_HOUR_MS: Final = 3_600_000
_BROKER: Final = "broker"
_KEEPS: Final = ("everything", "everything", "no sessions", "no retained", "nothing")


def _restart(world: World, happening: Happening) -> None:
    """It is away for `number` milliseconds; the one inside the controller takes the controller with it."""
    broker = world.broker
    if broker.inside:
        down_for(world, happening.number)
        return
    if not broker.up:
        return
    broker.stop()
    kept = happening.words
    world.later(
        happening.number,
        lambda: broker.start(
            with_memory=kept in ("everything", "no retained"), with_retained=kept in ("everything", "no sessions")
        ),
    )


def _forget(world: World, happening: Happening) -> None:
    """What it had retained is gone, and nobody is told."""
    world.broker.retained.clear()


def _copy(world: World, happening: Happening) -> None:
    """A copied box with the same name is there for `number` milliseconds."""
    device = world.devices[happening.who]
    twin = Twin(device.identity, world.broker, world.chance.stream(f"{device.name}/twin {happening.at_ms}"))
    world.later(happening.number, twin.leave)


def _draw_restarts(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, _ in sometimes(dice, shape, (_BROKER,), per_day=0.5):
        away_ms = round(10 ** dice.uniform(2, 7.2))
        found.append(
            Happening(
                at_ms, _BROKER, "broker.restart", max(1, min(away_ms, shape.calm_ms - at_ms)), dice.choice(_KEEPS)
            )
        )
    return found


def _draw_forgetting(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    return [
        Happening(at_ms, _BROKER, "broker.forget") for at_ms, _ in sometimes(dice, shape, (_BROKER,), per_day=0.1)
    ]


def _draw_copies(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    found = []
    for at_ms, name in sometimes(dice, shape, names, per_day=0.03):
        stays_ms = round(_HOUR_MS * 10 ** dice.uniform(-1.5, 1))
        found.append(Happening(at_ms, name, "broker.copy", max(1, min(stays_ms, shape.calm_ms - at_ms))))
    return found


KINDS: Final = {
    "broker.restart": Kind(_restart, _draw_restarts),
    "broker.forget": Kind(_forget, _draw_forgetting),
    "broker.copy": Kind(_copy, _draw_copies),
}
