"""`python -m simulators soak`: many made-up provinces, one for each seed, with every fault on and every rule checked.

Prints a line for each seed, and as the last line what it came to: device-days, violations, faults, wall seconds, and
the hash of all traces. Where a rule is broken, the plan is written to a file for `replay` and `shrink`; exit code 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from simulators.world.plan import Shape, write_plan
from simulators.world.world import Outcome, Run, plan_of


@dataclass(frozen=True, slots=True)
class Soaked:
    """One seed."""

    shape: Shape
    outcome: Outcome
    wall_s: float


def soak(shape: Shape, *, verify_each: bool = False) -> Soaked:
    """Runs one seed."""
    began = time.perf_counter()
    outcome = Run(plan_of(shape), verify_each=verify_each)()
    return Soaked(shape, outcome, time.perf_counter() - began)


def main(argv: list[str]) -> int:
    """The command."""
    options = _options(argv)
    shapes = [
        Shape(options.seed + number, options.devices, options.days, options.heartbeat_s * 1000)
        for number in range(options.seeds)
    ]
    began, found = time.perf_counter(), []
    for one in _soaked(shapes, options.workers, partial(soak, verify_each=options.verify_each)):
        found.append(one)
        _tell(one, options.out, quiet=options.json)
    _sum_up(found, time.perf_counter() - began)
    return int(any(one.outcome.violations for one in found))


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument("--devices", type=int, default=20)
    parser.add_argument("--days", type=float, default=2.0)
    parser.add_argument("--heartbeat-s", type=int, default=300, help="how often a device tells how it is: 60 to 1800")
    parser.add_argument("--workers", "--jobs", type=int, default=1, help="processes, with one seed each at a time")
    parser.add_argument("--verify-each", action="store_true", help="remember no answer about a signature")
    parser.add_argument("--out", type=Path, default=Path("soak"), help="where plans that break a rule are written")
    parser.add_argument("--json", action="store_true", help="only the last line")
    options = parser.parse_args(argv)
    if not 10 <= options.heartbeat_s <= 1800 or not 1 <= options.workers <= 64:
        parser.error("a heartbeat of 10 to 1800 s, 1 to 64 workers")
    return options


def _soaked(shapes: list[Shape], workers: int, work: Callable[[Shape], Soaked]) -> Iterator[Soaked]:
    """In the order of the seeds, whoever is done first."""
    if workers <= 1:
        yield from map(work, shapes)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(work, shapes)


def _tell(one: Soaked, out: Path, *, quiet: bool) -> None:
    shape, outcome = one.shape, one.outcome
    if not quiet:
        rate = shape.devices * shape.days / one.wall_s * 60
        told = f"{outcome.faults} faults, {len(outcome.violations)} violations, {rate:.0f} device-days a minute"
        print(f"seed {shape.seed}: {told}, {outcome.trace}", flush=True)
    for violation in outcome.violations[:5]:
        print(f"  seed {shape.seed} {violation.who} {violation.rule}: {violation.words}", file=sys.stderr)
    if outcome.violations:
        out.mkdir(parents=True, exist_ok=True)
        path = out / f"seed-{shape.seed}.json"
        path.write_bytes(write_plan(plan_of(shape)))
        print(f"  python -m simulators shrink {path}", file=sys.stderr)


def _sum_up(found: list[Soaked], wall_s: float) -> None:
    traces = hashlib.blake2b("".join(one.outcome.trace for one in found).encode(), digest_size=16)
    figures = {
        "device_days": round(sum(one.shape.devices * one.shape.days for one in found), 3),
        "violations": sum(len(one.outcome.violations) for one in found),
        "faults_injected": sum(one.outcome.faults for one in found),
        "wall_s": round(wall_s, 2),
        "trace": traces.hexdigest(),
    }
    print(json.dumps(figures))
