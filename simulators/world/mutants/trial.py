"""Worlds until the first violation: the eventful day first, then what the seeds bring."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from simulators.world.checkers.checker import Violation
from simulators.world.faults import KINDS
from simulators.world.mutants.exercise import exercise
from simulators.world.plan import Plan, Shape, draw_plan
from simulators.world.trace import Record
from simulators.world.world import Run, World, device_name

DENSITY: Final = 8
Leave = Callable[[dict[str, object]], None]


def dense_plan(shape: Shape) -> Plan:
    """What happens in as many worlds of this shape, all in one: a day with the troubles of a week."""
    names = tuple(device_name(one) for one in range(shape.devices))
    drawn = [draw_plan(replace(shape, seed=shape.seed * 1000 + one), KINDS, names) for one in range(DENSITY)]
    found = [happening for plan in drawn for happening in plan.happenings]
    return Plan(shape, tuple(sorted(found, key=lambda one: (one.at_ms, one.what, one.who))))


def plans(seeds: Sequence[int], *, devices: int, days: float) -> Iterator[Plan]:
    """All that a break goes through."""
    yield exercise()
    for seed in seeds:
        yield dense_plan(Shape(seed, devices, days))


def first_violation(plan: Plan, *, leave: Leave) -> dict[str, object] | None:
    """Runs a plan's world; tells `leave` of the first violation as it happens, which need not return.

    Returns:
        What went wrong when the world itself failed; None for a world in which all went well.
    """
    watch = lambda world: world.trace.listen(lambda record: _look(record, world, leave))  # noqa: E731
    try:
        Run(plan, watch=watch)()
    except Exception as error:
        cause = error.__cause__ or error
        where = traceback.extract_tb(cause.__traceback__)[-1]
        words = f"{cause!r} at {where.filename}:{where.lineno}"[:300]
        return {"rule": "world", "words": words, "seed": plan.shape.seed}
    return None


def _look(record: Record, world: World, leave: Leave) -> None:
    found = record.thing
    if isinstance(found, Violation):
        leave({"rule": found.rule, "words": found.words, "seed": world.shape.seed, "who": found.who, "at": found.at})
