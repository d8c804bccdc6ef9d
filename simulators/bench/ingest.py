"""Figure `ingest`: status messages a second, from a real broker through the real controller into its database.

statuses_a_second     sent at once to mosquitto for N devices in turn, until the last status of each is stored
controller_cpu_us     processor time of the controller for each message
lost                  messages that the controller says it dropped or discarded; a figure with lost ones is none

The peer (`--peers`) is a bare subscriber that writes the same columns, unchecked, through the same mosquitto with the
same load: `bare_a_second`, `ratio_bare`. Load, broker and controller share this machine's cores. Loopback only.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from simulators.bench import told
from simulators.bench.status_load import letters, send
from simulators.bench.status_writer import TABLE
from simulators.child import ChildError
from simulators.fleet.cost import Cost
from simulators.fleet.crew import CrewError
from simulators.fleet.ending import run
from simulators.fleet.ground import Ground, RefusedError, ground
from simulators.fleet.mosquitto import HOSTS, BrokerLackingError, version
from simulators.fleet.names import Resident, resident
from simulators.fleet.town import wall_now

DEVICES: Final = 1_000
MESSAGES: Final = 30_000
ROUNDS: Final = 3
DEVICES_MAX: Final = 10_000
MESSAGES_MAX: Final = 200_000
ROUNDS_MAX: Final = 20
_STORED_S_MAX: Final = 120.0
_LOOK_S: Final = 0.02
_LOST: Final = re.compile(r"dropped a report|Discarding|do not keep up|are lost")
_LAST: Final = "SELECT COUNT(*) FROM devices WHERE json_extract(status_json, '$.wall') = ?"

Figures = dict[str, told.Value]


async def measure(devices: int, count: int, *, rounds: int, peers: bool) -> Figures:
    """All figures; the first round of each warms everything up."""
    async with ground(devices) as here:
        communes = json.loads(here.town.communes.read_text())
        residents = [resident(number, communes) for number in range(devices)]
        ours, spent = [], []
        for _ in range(rounds + 1):
            cost = Cost({name: [one] for name, one in here.processes().items()})
            ours.append(await _round(here.lines.port, residents, count, here.town.data / "controller.db"))
            spent.append(cost.spent_s()["controller_cpu_s"] / count * 1e6)
        figures: Figures = {"devices": devices, "messages": count, "rounds": rounds}
        figures |= {"statuses_a_second": round(statistics.median(ours[1:]))}
        figures |= {"controller_cpu_us": round(statistics.median(spent[1:]))}
        figures |= {"lost": len(_LOST.findall(here.controller.log.read_text(errors="replace")))}
        if peers:
            await here.controller.stop()
            theirs = await _peer(here, residents, count, rounds)
            figures |= {
                "bare_a_second": theirs,
                "ratio_bare": told.ratio(float(figures["statuses_a_second"]), theirs),
            }
        return figures


async def _round(port: int, residents: Sequence[Resident], count: int, database: Path) -> float:
    """Messages a second, until the last of each device is stored."""
    rounds, begin = count // len(residents), wall_now()
    load = letters(residents, rounds=rounds, begin=begin)
    began_s = time.monotonic()
    sending = asyncio.create_task(send(HOSTS[0], port, load))
    last = begin + rounds - 1
    until_s = began_s + _STORED_S_MAX
    while await asyncio.to_thread(_stored, database, last) < len(residents):
        if time.monotonic() > until_s:
            raise TimeoutError(f"not all of {len(load)} statuses were stored within {_STORED_S_MAX:.0f} s")
        await asyncio.sleep(_LOOK_S)
    took_s = time.monotonic() - began_s
    await sending
    return len(load) / took_s


def _stored(database: Path, last: int) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        return int(connection.execute(_LAST, (last,)).fetchone()[0])


async def _peer(here: Ground, residents: Sequence[Resident], count: int, rounds: int) -> float:
    database = here.town.data / "peer.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(TABLE)
        connection.executemany("INSERT INTO devices (id) VALUES (?)", [(one.device,) for one in residents])
    command = [sys.executable, "-m", "simulators.bench.status_writer", str(here.lines.port), str(database)]
    peer = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert peer.stdout is not None, "it was asked for a pipe"
        await peer.stdout.readline()
        found = [await _round(here.lines.port, residents, count, database) for _ in range(rounds + 1)]
    finally:
        peer.terminate()
        await peer.wait()
    return round(statistics.median(found[1:]))


def main(argv: Sequence[str]) -> int:
    """Prints the figure; 1 when something was lost."""
    flags = told.parser("ingest", __doc__, peers="a bare subscriber that writes the same rows")
    flags.add_argument("--devices", type=int, default=DEVICES)
    flags.add_argument("--messages", type=int, default=MESSAGES, help="in each round")
    flags.add_argument("--rounds", type=int, default=ROUNDS)
    options = flags.parse_args(argv)
    if not 1 <= options.devices <= min(DEVICES_MAX, options.messages) or options.messages > MESSAGES_MAX:
        flags.error(f"1 to {DEVICES_MAX} devices, and for each a message of at most {MESSAGES_MAX}")
    if not 1 <= options.rounds <= ROUNDS_MAX:
        flags.error(f"1 to {ROUNDS_MAX} rounds")
    work = measure(options.devices, options.messages, rounds=options.rounds, peers=options.peers)
    try:
        figures = run(work)
        figures |= {"version_mosquitto": asyncio.run(version())} | told.ground("paho-mqtt", "SQLAlchemy")
    except (CrewError, RefusedError, BrokerLackingError, ChildError, TimeoutError, OSError) as error:
        print(f"ingest: {error}", file=sys.stderr)
        return 1
    told.tell(figures, as_json=options.json)
    return int(figures["lost"] != 0)
