"""What a fuzz target is: a function of bytes that returns or raises its documented error, in bounded time and memory.

One registry (`tests.fuzz.registry`) serves both ways of making bytes: Hypothesis and atheris.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

SECONDS_MAX: Final = 1.0
"""Far above what any parser needs, far below what a network timeout would notice."""
MEMORY_KIB_MAX: Final = 96 * 1024
"""What one input may add to the process's highest memory: the largest message is a megabyte."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser that meets bytes from outside.

    Attributes:
        run: judges one input; anything it raises is a fault, documented errors are caught within.
        seeds: whole inputs, made from the builders of the tests when asked for.
        modules: packages that the coverage-guided fuzzer instruments.
        size_max: bytes of the longest input; a little above the parser's own limit where that is small.
        runs: how many inputs the coverage-guided fuzzer tries in the test run.
        examples: how many Hypothesis makes.
    """

    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    modules: tuple[str, ...]
    size_max: int = 20_000
    runs: int = 10_000
    examples: int = 60
    memory_kib_max: int = MEMORY_KIB_MAX


def judge(target: Target, data: bytes) -> None:
    """Runs one input and holds it to its bounds; an input that seems slow is tried again before it is a fault."""
    before_kib = _peak_kib()
    seconds = min(_timed(target, data) for _ in range(3)) if _timed(target, data) > SECONDS_MAX else 0.0
    assert seconds <= SECONDS_MAX, f"{seconds:.1f} s for {len(data)} bytes"
    grown_kib = _peak_kib() - before_kib
    assert grown_kib <= target.memory_kib_max, f"{grown_kib} KiB for {len(data)} bytes"


def _timed(target: Target, data: bytes) -> float:
    began = time.perf_counter()
    target.run(data)
    return time.perf_counter() - began


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
