"""Figures: each is measured by one module and printed as a table; `--json` adds one flat object as the last line."""

from __future__ import annotations

from typing import Final

FIGURES: Final[dict[str, str]] = {
    "alert-fanout": "simulators.bench.alert_fanout",
    "failover": "simulators.bench.failover",
    "footprint": "simulators.bench.footprint",
    "ingest": "simulators.bench.ingest",
    "kill9": "simulators.bench.kill9",
    "mic": "simulators.bench.mic",
    "mutants": "simulators.bench.mutants",
    "offline-sync": "simulators.bench.offline_sync",
    "sim-speed": "simulators.bench.sim_speed",
    "skew": "simulators.bench.skew",
    "start-error": "simulators.bench.start_error",
    "storm": "simulators.bench.storm",
    "trust": "simulators.bench.trust",
}
"""Name of each figure, and the module whose `main(argv)` measures it."""
