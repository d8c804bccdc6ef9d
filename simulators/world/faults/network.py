"""Network: everything between a device and the controller's side, from a second's pause to days without credit.

Each kind puts a `Trouble` on the lines it concerns for `number` milliseconds; several may overlap, and each ends by
itself. `who` is a device, a commune or the province.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from protocol.units import UnitPath, covers
from simulators.world.line import CUT, HALF_OPEN, Trouble
from simulators.world.office import PROVINCE, units_of
from simulators.world.plan import Happening, Kind, Shape, sometimes

if TYPE_CHECKING:
    from simulators.world.line import Line
    from simulators.world.world import World

_SECOND_MS: Final = 1000
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_SLOW_BYTES_S: Final = 8000
"""64 kbit/s."""


def _lines(world: World, who: str) -> list[Line]:
    unit = UnitPath(who)
    return [one.line for name, one in world.devices.items() if name == who or covers(unit, one.identity.place)]


def _apply(trouble: Callable[[Happening], Trouble]) -> Callable[[World, Happening], None]:
    """Troubles the lines for `number` milliseconds."""

    def apply(world: World, happening: Happening) -> None:
        made = trouble(happening)
        for line in _lines(world, happening.who):
            line.begin(made)
            world.later(happening.number, lambda line=line: line.end(made))  # type: ignore[misc]

    return apply


def _tear(world: World, happening: Happening) -> None:
    """What is open ends, and the line is whole: a mast hands over, a NAT forgets."""
    for line in _lines(world, happening.who):
        line.tear()


def _bad(happening: Happening) -> Trouble:
    delay_ms, loss_permille = (int(one) for one in happening.words.split())
    return Trouble(delay_ms=delay_ms, jitter_ms=delay_ms, loss=loss_permille / 1000)


def _draw_torn(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    return [Happening(at_ms, name, "network.torn") for at_ms, name in sometimes(dice, shape, names, per_day=0.7)]


Draw = Callable[[random.Random, Shape, tuple[str, ...]], list[Happening]]


def _draw(
    what: str,
    *,
    per_day: float,
    from_ms: int,
    to_ms: int,
    words: Callable[[random.Random], str] = lambda dice: "",
    whom: Callable[[tuple[str, ...]], tuple[str, ...]] = lambda names: names,
) -> Draw:
    """Durations are spread evenly over their orders of magnitude: most are short, a few are very long."""

    def draw(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
        found = []
        for at_ms, name in sometimes(dice, shape, whom(names), per_day=per_day):
            lasts_ms = round(from_ms * (to_ms / from_ms) ** dice.random())
            said = words(dice)
            found.append(Happening(at_ms, name, what, max(1, min(lasts_ms, shape.calm_ms - at_ms)), said))
        return found

    return draw


def _draw_week(dice: random.Random, shape: Shape, names: tuple[str, ...]) -> list[Happening]:
    """Longer than the controller's word lasts; only in worlds that have the time for it."""
    found = []
    for at_ms, name in sometimes(dice, shape, (PROVINCE,), per_day=0.06):
        lasts_ms = round(_DAY_MS * dice.uniform(8.1, 10))
        if at_ms + lasts_ms < shape.calm_ms:
            found.append(Happening(at_ms, name, "network.week", lasts_ms))
    return found


def _way(dice: random.Random) -> str:
    return dice.choice(("up", "down"))


def _port(dice: random.Random) -> str:
    return dice.choice(("mqtt", "mqtt", "https"))


def _badness(dice: random.Random) -> str:
    return f"{dice.choice((0, 200, 700, 2000))} {dice.choice((10, 50, 200, 400))}"


def _whole(names: tuple[str, ...]) -> tuple[str, ...]:
    return (PROVINCE,)


def _silent(happening: Happening) -> Trouble:
    return HALF_OPEN


def _one_way(happening: Happening) -> Trouble:
    return Trouble(up=happening.words == "up", down=happening.words == "down")


def _blocked(happening: Happening) -> Trouble:
    return Trouble(up=True, down=True, port=happening.words)


KINDS: Final = {
    "network.cut": Kind(
        _apply(lambda _: CUT), _draw("network.cut", per_day=0.8, from_ms=_SECOND_MS, to_ms=6 * _HOUR_MS)
    ),
    "network.torn": Kind(_tear, _draw_torn),
    "network.half_open": Kind(
        _apply(_silent), _draw("network.half_open", per_day=0.5, from_ms=5 * _SECOND_MS, to_ms=2 * _HOUR_MS)
    ),
    "network.one_way": Kind(
        _apply(_one_way), _draw("network.one_way", per_day=0.2, from_ms=5 * _SECOND_MS, to_ms=_HOUR_MS, words=_way)
    ),
    "network.port": Kind(
        _apply(_blocked),
        _draw("network.port", per_day=0.12, from_ms=60 * _SECOND_MS, to_ms=12 * _HOUR_MS, words=_port),
    ),
    "network.bad": Kind(
        _apply(_bad), _draw("network.bad", per_day=0.3, from_ms=60 * _SECOND_MS, to_ms=8 * _HOUR_MS, words=_badness)
    ),
    "network.slow": Kind(
        _apply(lambda _: Trouble(rate_bytes_s=_SLOW_BYTES_S, delay_ms=300)),
        _draw("network.slow", per_day=0.1, from_ms=_HOUR_MS, to_ms=2 * _DAY_MS),
    ),
    "network.portal": Kind(
        _apply(lambda _: Trouble(portal=True)),
        _draw("network.portal", per_day=0.1, from_ms=30 * _SECOND_MS, to_ms=8 * _HOUR_MS),
    ),
    "network.credit": Kind(
        _apply(_silent), _draw("network.credit", per_day=0.02, from_ms=6 * _HOUR_MS, to_ms=12 * _DAY_MS)
    ),
    "network.commune": Kind(
        _apply(_silent),
        _draw("network.commune", per_day=0.1, from_ms=60 * _SECOND_MS, to_ms=6 * _HOUR_MS, whom=units_of),
    ),
    "network.province": Kind(
        _apply(_silent),
        _draw("network.province", per_day=0.1, from_ms=60 * _SECOND_MS, to_ms=_DAY_MS, whom=_whole),
    ),
    "network.week": Kind(_apply(_silent), _draw_week),
}
