"""Puts every break into a child of its own, some at a time, and says which checker noticed it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from simulators.world.mutants.catalogue import MUTANTS
from simulators.world.mutants.mutant import ROOT

TIMEOUT_S: Final = 300.0
HANGS: Final = "hang"
FAILS: Final = "world"
CRASHES: Final = (FAILS, HANGS)
"""What noticed is no rule: the world failed, or did not end."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one break.

    Attributes:
        rule: the checker that noticed, `world` when the world failed, `hang` when it never ended, None when nobody.
    """

    name: str
    rule: str | None
    words: str = ""
    seed: int = 0
    wall_s: float = 0.0


def hunt(
    names: Iterable[str], *, seeds: Sequence[int], devices: int, days: float = 0.0, at_once: int = 1
) -> Iterator[Verdict]:
    """Tries breaks; verdicts come in the order of the names.

    Args:
        days: at least so long a world; a break may ask for a longer one.
        at_once: children that run beside each other.
    """
    with ThreadPoolExecutor(at_once) as pool:
        yield from pool.map(lambda name: _try(name, seeds, devices, days), names)


def _try(name: str, seeds: Sequence[int], devices: int, days: float) -> Verdict:
    length = max(days, MUTANTS[name].days if name in MUTANTS else 1.0)
    words = [name, str(devices), str(length), *map(str, seeds)]
    began_s = time.perf_counter()
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, one of our own names
            [sys.executable, "-m", "simulators.world.mutants.child", *words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Verdict(name, HANGS, wall_s=time.perf_counter() - began_s)
    wall_s = time.perf_counter() - began_s
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    lines = done.stdout.splitlines()
    if not lines:
        return Verdict(name, None, wall_s=wall_s)
    found = json.loads(lines[-1])
    return Verdict(name, found["rule"], found["words"], found["seed"], wall_s)
