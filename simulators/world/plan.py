"""What happens in a world, as data: drawn from a seed, written to a file, played again, made shorter.

Everything that does not follow from the rules is a `Happening` with its instant: a power cut, a schedule that an
operator signs, a thief at the broker. Models draw no decisions of their own beyond their own named streams, so taking
one happening away changes nothing about the others.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from simulators.world.world import World

HAPPENINGS_MAX: Final = 200_000
_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that is done to the world.

    Attributes:
        at_ms: since dawn.
        who: the device, office or part of the world that it is done to.
        what: the kind, such as `power.cut`.
        number: what the kind needs to know, such as milliseconds; 0 if nothing.
        words: the same as text, such as a unit.
    """

    at_ms: int
    who: str
    what: str
    number: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a world is and how long it lasts.

    Attributes:
        only: the devices that exist, if not all: what a story is about.
    """

    seed: int
    devices: int
    days: float
    heartbeat_ms: int = 300_000
    only: tuple[str, ...] = ()

    @property
    def end_ms(self) -> int:
        """When the world ends."""
        return round(self.days * 86_400_000)

    @property
    def calm_ms(self) -> int:
        """No fault begins after this, and every one has ended: from here on all must come to rest.

        The last two hours are calm; of a very short world the last third.
        """
        return max(self.end_ms - 2 * 3_600_000, self.end_ms * 2 // 3)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole run: the same plan gives the same trace."""

    shape: Shape
    happenings: tuple[Happening, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of happening.

    Attributes:
        apply: does it to the world, at its instant.
        draw: the happenings of this kind in a world of that shape; None for kinds that only belong to another one.
        fault: whether it counts as a fault; what people do on purpose is none.
    """

    apply: Callable[[World, Happening], None]
    draw: Callable[[random.Random, Shape, tuple[str, ...]], list[Happening]] | None = None
    fault: bool = True


def draw_plan(shape: Shape, kinds: Mapping[str, Kind], names: tuple[str, ...]) -> Plan:
    """All that happens in a world of this shape.

    Args:
        names: the devices.
    """
    from simulators.world.chance import Chance

    chance, found = Chance(shape.seed), []
    for name in sorted(kinds):
        draw = kinds[name].draw
        if draw is not None:
            found += draw(chance.stream(f"plan/{name}"), shape, names)
    late = [one for one in found if kinds[one.what].fault and one.at_ms >= shape.calm_ms]
    assert not late, f"a fault is planned into the calm: {late[0]}"
    return Plan(shape, tuple(sorted(found, key=lambda one: (one.at_ms, one.what, one.who))))


def write_plan(plan: Plan) -> bytes:
    """The plan as JSON: the shape, and a line for each happening."""
    lines = [json.dumps([one.at_ms, one.who, one.what, one.number, one.words]) for one in plan.happenings]
    shape, separator = json.dumps(asdict(plan.shape)), ",\n"
    return f'{{"shape": {shape},\n"happenings": [\n{separator.join(lines)}]}}\n'.encode()


def read_plan(data: bytes) -> Plan:
    """A plan from a file.

    Raises:
        ValueError: it is none.
    """
    try:
        told = json.loads(data[:_BYTES_MAX])
        shape = Shape(**{**told["shape"], "only": tuple(told["shape"].get("only", ()))})
        happenings = tuple(Happening(*one) for one in told["happenings"][:HAPPENINGS_MAX])
        assert all(isinstance(one.at_ms, int) and isinstance(one.what, str) for one in happenings)
    except (KeyError, TypeError, AttributeError, AssertionError, RecursionError) as error:
        raise ValueError(f"not a plan: {error!r}") from error
    return Plan(shape, happenings)


def sometimes(dice: random.Random, shape: Shape, names: tuple[str, ...], *, per_day: float) -> list[tuple[int, str]]:
    """Instants before the calm, so many for each device and day on average, as a Poisson process; with the device."""
    found = []
    for name in names:
        at_ms = 0.0
        while (at_ms := at_ms + dice.expovariate(per_day) * 86_400_000) < shape.calm_ms:
            found.append((round(at_ms), name))
    return found
