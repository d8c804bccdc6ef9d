"""`python -m simulators.fleet --devices 10000`: a fleet of real agents goes through all scenes, each measured."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from simulators.bench.told import ground as machine
from simulators.bench.told import parser, spread, tell
from simulators.child import ChildError
from simulators.fleet import scenes
from simulators.fleet.crew import Crew, CrewError
from simulators.fleet.ending import run
from simulators.fleet.ground import Ground, RefusedError, ground
from simulators.fleet.mosquitto import BrokerLackingError
from simulators.fleet.names import DEVICES_MAX
from simulators.fleet.scenes import Figures

SCENES: Final = ("day", "idle", "emergency", "schedule", "statuses", "storm")
EMBEDDED_MAX: Final = 2000
RECORDS_MAX: Final = 200
AT_ONCE: Final = 100


async def run_scenes(
    count: int,
    *,
    wanted: Sequence[str] = SCENES,
    records: int = 40,
    embedded: bool = False,
    stores: Path | None = None,
    heartbeat_ms: int = 60_000,
    idle_s: float = 60.0,
    at_once: int = AT_ONCE,
) -> Figures:
    """All figures of the scenes that are wanted.

    Args:
        at_once: how many of each process come up at the same time. A device has 20 s of patience with a broker, and
            hundreds that share a core would spend it waiting for each other.

    Raises:
        CrewError: the fleet did not come to something in time.
    """
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(ground(count, embedded=embedded, stores=stores))
        own = ["--at-once", str(at_once), "--heartbeat-ms", str(heartbeat_ms)]
        own += ["--day-records", str(records)] if "day" in wanted else []
        began_ns = time.monotonic_ns()
        crew = await stack.enter_async_context(here.fleet(count, *own))
        figures: Figures = {"devices": count, "processes": len(crew.pids)}
        figures |= await scenes.connect(here, crew, began_ns=began_ns)
        if "day" in wanted:
            figures |= await scenes.day_offline(here, crew, records=records, began_ns=began_ns)
        return figures | await _settled_scenes(here, crew, wanted, idle_s=idle_s)


async def _settled_scenes(here: Ground, crew: Crew, wanted: Sequence[str], *, idle_s: float) -> Figures:
    figures: Figures = {}
    if "idle" in wanted:
        figures |= await scenes.idle(here, crew, window_s=idle_s)
    if "emergency" in wanted:
        figures |= spread("alert_", await scenes.emergency(here, crew))
        await scenes.emergency_over()
    if "schedule" in wanted:
        figures |= await scenes.schedule(here, crew)
    if "statuses" in wanted:
        figures |= await scenes.statuses(here, crew)
    if "storm" in wanted and here.broker is not None:
        figures |= await scenes.storm(here, crew, number=1)
    return figures


def main(argv: Sequence[str]) -> int:
    """Prints the figures; 1 when the fleet did not come through."""
    flags = parser("fleet", __doc__)
    flags.add_argument("--devices", type=int, default=1000)
    flags.add_argument("--scene", action="append", choices=SCENES, help="this one only; may be given again")
    flags.add_argument("--records", type=int, default=40, help="of a day offline, for each device")
    flags.add_argument("--embedded", action="store_true", help="the controller's own broker instead of mosquitto")
    flags.add_argument("--stores", type=Path, help="a directory for the devices' stores; in memory if not given")
    options = flags.parse_args(argv)
    if not 1 <= options.devices <= (EMBEDDED_MAX if options.embedded else DEVICES_MAX):
        flags.error(f"1 to {DEVICES_MAX} devices, to {EMBEDDED_MAX} with the embedded broker")
    if not 1 <= options.records <= RECORDS_MAX:
        flags.error(f"1 to {RECORDS_MAX} records")
    work = run_scenes(
        options.devices,
        wanted=options.scene or SCENES,
        records=options.records,
        embedded=options.embedded,
        stores=options.stores,
    )
    try:
        figures = run(work)
    except (CrewError, RefusedError, BrokerLackingError, ChildError, OSError) as error:
        print(f"fleet: {error}", file=sys.stderr)
        return 1
    where = "a directory" if options.stores else "memory"
    tell(figures | {"stores": where} | machine("paho-mqtt", "aiomqtt", "aiohttp"), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
