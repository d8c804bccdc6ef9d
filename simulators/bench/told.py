"""How every figure is told: a table for people, one flat JSON object as the last line for programs, peers that lack.

The one place for it, so that all figures look alike: `parser` for the usual flags, `tell` for the output, `spread`
for percentiles, `present` for the neighbours that this machine has.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Final

import numpy as np

Value = float | int | str
_PERCENTILES: Final = (50, 95, 99, 100)
_NO_PEERS: Final = "there is no peer to measure here"


def parser(name: str, text: str | None, *, peers: str = _NO_PEERS) -> argparse.ArgumentParser:
    """The flags that every figure has.

    Args:
        text: the module's docstring; its first line is the description.
        peers: what `--peers` does.
    """
    made = argparse.ArgumentParser(prog=name, description=(text or "").partition("\n")[0])
    made.add_argument("--json", action="store_true", help="one flat object on the last line")
    made.add_argument("--peers", action="store_true", help=peers)
    return made


def tell(figures: Mapping[str, Value], *, as_json: bool) -> None:
    """Prints a table, and the same as one line of JSON."""
    width = max((len(name) for name in figures), default=0)
    for name, value in figures.items():
        print(f"{name:>{width}}  {value if isinstance(value, str) else format(value, '.10g')}")
    if as_json:
        print(json.dumps(dict(figures)), flush=True)


def spread(prefix: str, values: Iterable[float], *, unit: str = "ms", digits: int = 1) -> dict[str, float]:
    """Percentiles of some values: `<prefix>p50_ms`, `p95`, `p99` and `max`; nothing for no values."""
    found = tuple(values)
    if not found:
        return {}
    names = [f"p{one}" if one < 100 else "max" for one in _PERCENTILES]
    told = np.percentile(found, _PERCENTILES, method="higher")
    return {f"{prefix}{name}_{unit}": round(float(one), digits) for name, one in zip(names, told, strict=True)}


def ratio(ours: float, theirs: float) -> float:
    """Ours by theirs; 0 when ours is nothing, 1 when both are."""
    return round(ours / theirs, 3) if theirs else float(not ours)


def ground(*packages: str) -> dict[str, Value]:
    """On what it was measured: the interpreter, Python packages by name, cores, and the load of the last minute."""
    told = {f"version_{name.lower().replace('-', '_')}": version(name) for name in packages}
    cores, load = len(os.sched_getaffinity(0)), round(os.getloadavg()[0], 1)
    return {"version_python": platform.python_version(), **told, "cores": cores, "load_1_min": load}


def present(lacking: Mapping[str, Sequence[str]]) -> list[str]:
    """Peers of which nothing lacks, by what each lacks."""
    return [peer for peer, programs in lacking.items() if not programs]


def lack(lacking: Mapping[str, Sequence[str]]) -> int:
    """Says which packages the peers that were left out need; the exit code: where CI runs, that is a failure."""
    wanted = sorted({program for programs in lacking.values() for program in programs})
    if wanted:
        print(f"left out, because it is not installed: {' '.join(wanted)} (apt-get install it)", file=sys.stderr)
    return int(bool(wanted) and os.environ.get("CI") == "true")
