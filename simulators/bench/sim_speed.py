"""Figure `sim-speed`: how many device-days of the worlds pass in a minute on one core.

Everything is on: real signatures, all faults, all rules. CPU time of one process is what counts, so that a busy
machine changes it little; what a rule found is told with it. A device tells how it is at each heartbeat, so each is
measured for itself.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from typing import Final

from simulators.bench.told import Value, ground, parser, tell
from simulators.world.plan import Shape
from simulators.world.world import Run, plan_of

HEARTBEATS_S: Final = (60, 300)
SEEDS: Final = (1, 2)
DEVICES: Final = 20
DAYS: Final = 1.0


def measure(
    heartbeats_s: Sequence[int] = HEARTBEATS_S,
    *,
    seeds: Sequence[int] = SEEDS,
    devices: int = DEVICES,
    days: float = DAYS,
) -> dict[str, Value]:
    """Runs each seed with each heartbeat."""
    Run(plan_of(Shape(seeds[0], 1, 0.1)))()  # modules are loaded and caches filled
    found: dict[str, Value] = {"device_days": len(seeds) * devices * days, "devices": devices}
    broken = 0
    for heartbeat_s in heartbeats_s:
        plans = [plan_of(Shape(seed, devices, days, heartbeat_s * 1000)) for seed in seeds]
        began_s = time.process_time()
        outcomes = [Run(plan)() for plan in plans]
        cpu_s = time.process_time() - began_s
        device_days = len(seeds) * devices * days
        broken += sum(len(one.violations) for one in outcomes)
        found |= {
            f"device_days_per_min_{heartbeat_s}_s": round(device_days / cpu_s * 60, 1),
            f"cpu_{heartbeat_s}_s_ms": round(cpu_s / device_days * 1000, 1),
            f"events_{heartbeat_s}_s": round(sum(one.counts.get("told", 0) for one in outcomes) / device_days),
        }
    return {**found, "violations": broken, "seeds": " ".join(map(str, seeds))}


def _arguments(argv: list[str]) -> argparse.Namespace:
    flags = parser("sim-speed", __doc__)
    flags.add_argument("--heartbeats-s", type=int, nargs="+", default=HEARTBEATS_S, help="up to 1800 each")
    flags.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    flags.add_argument("--devices", type=int, default=DEVICES)
    flags.add_argument("--days", type=float, default=DAYS)
    options = flags.parse_args(argv)
    if not all(10 <= one <= 1800 for one in options.heartbeats_s):
        flags.error("heartbeats of 10 to 1800 s")
    if not 1 <= options.devices <= 1000 or not 0 < options.days <= 366:
        flags.error("1 to 1000 devices, up to 366 days")
    return options


def main(argv: list[str]) -> int:
    """Prints the figures."""
    options = _arguments(argv)
    found = measure(options.heartbeats_s, seeds=options.seeds, devices=options.devices, days=options.days)
    tell({**found, **ground("cryptography")}, as_json=options.json)
    return 0
