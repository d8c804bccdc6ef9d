"""Figure `mutants`: the agent is broken on purpose in many ways, and each break has to be noticed in a world.

Each break runs in a child of its own through the eventful day that was written for it (`simulators.world.mutants`),
and with `--seeds` through worlds of chance after that, until a checker notices it. Before that the agent as it is
goes through the same, where nobody may notice anything. The table tells for each break which rule noticed it; a world
that fails or never ends has noticed as well, and is counted by itself.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from simulators.bench.told import Value, ground, parser, tell
from simulators.world.mutants.catalogue import FAST, MUTANTS
from simulators.world.mutants.child import WHOLE
from simulators.world.mutants.hunt import CRASHES, Verdict, hunt

DEVICES: Final = 6


def measure(names: Sequence[str], *, seeds: Sequence[int] = (), at_once: int = 1) -> dict[str, Value]:
    """Tries the named breaks; prints what became of each."""
    began_s = time.perf_counter()
    whole = tuple(hunt((WHOLE,), seeds=seeds, devices=DEVICES))
    verdicts = []
    for verdict in hunt(names, seeds=seeds, devices=DEVICES, at_once=at_once):
        verdicts.append(verdict)
        print(line(verdict), flush=True)
    noticed = Counter(one.rule for one in verdicts if one.rule is not None)
    crashes = sum(noticed.pop(rule, 0) for rule in CRASHES)
    return {
        "mutants": len(verdicts),
        "killed": crashes + sum(noticed.values()),
        "by_checker": sum(noticed.values()),
        "by_crash": crashes,
        "survived": "; ".join(one.name for one in verdicts if one.rule is None),
        "unbroken_violations": sum(one.rule is not None for one in whole),
        **{f"noticed_by_{rule}": count for rule, count in sorted(noticed.items())},
        "seeds": " ".join(map(str, seeds)),
        "devices": DEVICES,
        "wall_s": round(time.perf_counter() - began_s, 1),
    }


def line(verdict: Verdict) -> str:
    """One break's fate."""
    fate = f"{verdict.rule}: {verdict.words}" if verdict.rule is not None else "nobody noticed"
    return f"{verdict.wall_s:6.1f} s  {verdict.name}  ->  {fate}"[:200]


def _arguments(argv: list[str]) -> argparse.Namespace:
    flags = parser("mutants", __doc__)
    flags.add_argument("names", nargs="*", help="only these breaks")
    flags.add_argument("--fast", action="store_true", help="only the few that CI tries")
    flags.add_argument("--seeds", type=int, nargs="+", default=(), help="worlds of chance after the day")
    flags.add_argument("--at-once", type=int, default=1, help="children beside each other")
    return flags.parse_args(argv)


def main(argv: list[str]) -> int:
    """Prints the figures."""
    flags = _arguments(argv)
    names = flags.names or (FAST if flags.fast else tuple(MUTANTS))
    found = measure(names, seeds=flags.seeds, at_once=flags.at_once)
    tell({**found, **ground()}, as_json=flags.json)
    return 0
