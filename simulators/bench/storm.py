"""Figure `storm`: the broker is killed and comes back having forgotten everything; until all real agents are back.

p50_s, p95_s, last_s   from the broker's first answer to each agent's link being up again, its topics subscribed
controller_cpu_s, broker_cpu_s, agents_cpu_s   processor time in that while
page_max_ms            the longest that an officer waited for a page meanwhile
connect_last_s         all come up for the first time, a hundred of each process at once, with grants and the time

Agents wait for a random time between tries, doubling from 1 s to 300 s, so nobody comes at once and nobody late: a
broker that was away for seconds has all back as fast as it and this machine's cores let them in.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Final

from simulators.bench import told
from simulators.child import ChildError
from simulators.fleet import scenes
from simulators.fleet.crew import CrewError
from simulators.fleet.ending import run
from simulators.fleet.ground import RefusedError, ground
from simulators.fleet.mosquitto import BrokerLackingError, version
from simulators.fleet.scenes import Figures

DEVICES: Final = 1_000
DEVICES_MAX: Final = 12_000
AT_ONCE: Final = 100
ROUNDS: Final = 3
ROUNDS_MAX: Final = 10
_REST_S: Final = 75.0
"""After so long of a good line, an agent's next wait is a short one again."""
_NAMES: Final = {
    "back_p50_s": "p50_s",
    "back_p95_s": "p95_s",
    "back_max_s": "last_s",
    "back_page_max_ms": "page_max_ms",
    "back_controller_cpu_s": "controller_cpu_s",
    "back_broker_cpu_s": "broker_cpu_s",
    "back_agents_cpu_s": "agents_cpu_s",
}


async def measure(devices: int, *, rounds: int) -> Figures:
    """The median of some storms."""
    async with ground(devices) as here:
        began_ns = time.monotonic_ns()
        async with here.fleet(devices, "--at-once", str(AT_ONCE)) as crew:
            first = await scenes.connect(here, crew, began_ns=began_ns)
            storms = []
            for number in range(1, rounds + 1):
                await asyncio.sleep(_REST_S)
                storms.append(await scenes.storm(here, crew, number=number))
    figures: Figures = {"devices": devices, "rounds": rounds, "connect_last_s": first["connect_max_s"]}
    return figures | {
        short: round(statistics.median(float(one[name]) for one in storms), 2) for name, short in _NAMES.items()
    }


def main(argv: Sequence[str]) -> int:
    """Prints the figure."""
    flags = told.parser("storm", __doc__)
    flags.add_argument("--devices", type=int, default=DEVICES)
    flags.add_argument("--rounds", type=int, default=ROUNDS)
    options = flags.parse_args(argv)
    if not 1 <= options.devices <= DEVICES_MAX or not 1 <= options.rounds <= ROUNDS_MAX:
        flags.error(f"devices 1 to {DEVICES_MAX}, rounds 1 to {ROUNDS_MAX}")
    try:
        figures = run(measure(options.devices, rounds=options.rounds))
        figures |= {"version_mosquitto": asyncio.run(version())} | told.ground("paho-mqtt", "aiohttp")
    except (CrewError, RefusedError, BrokerLackingError, ChildError, OSError) as error:
        print(f"storm: {error}", file=sys.stderr)
        return 1
    told.tell(figures, as_json=options.json)
    return 0
