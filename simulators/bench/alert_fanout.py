"""Figure `alert-fanout`: from the signed emergency at the controller's door to the last of all receivers.

In one run, the median of some rounds of each (`last` and `p50` over the receivers of a round):

bare_last_ms             the same bytes published straight at mosquitto, to N bare subscribers (QoS 1)
controller_path_last_ms  HTTP `POST /api/v1/envelopes` with the emergency and its cancel, verified, stored durably,
                         published through the same mosquitto, to N bare subscribers
nats_last_ms             with `--peers`: the same bytes through nats-server to N bare subscribers (at most once)
one_agent_ms             the same POST to one real agent alone, having verified and stored it, switching its output
last_ms                  the same to the last of N real agents
agent_cpu_ms             processor time of all agents from the POST to the last switch, for each agent
floor_ms                 one verification and one durable transaction, measured alone: no agent can do with less
ratio                    controller_path_last_ms / bare_last_ms

Everything runs on this machine: broker, controller and processes of receivers share its cores, so `last_ms` is above
all `agent_cpu_ms` times N divided by the cores; real devices have a processor each. The agents share one disk, too,
so their stores lie in memory (`/dev/shm`) and are written at once; nothing of them is left out. Loopback only; what
was started is stopped.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import psutil

from protocol.topics import ALERT, unit_topic
from simulators.bench import told
from simulators.bench.fanout_ears import ears
from simulators.bench.fanout_floor import floor_ms
from simulators.bench.fanout_publishers import BarePublisher, NatsPublisher, NatsServer, nats_version
from simulators.child import ChildError
from simulators.fleet import scenes
from simulators.fleet.cost import Cost
from simulators.fleet.crew import Crew, CrewError
from simulators.fleet.ending import run
from simulators.fleet.ground import Ground, RefusedError, ground
from simulators.fleet.mosquitto import HOSTS, BrokerLackingError, version
from simulators.fleet.names import PROVINCE
from simulators.fleet.scenes import Figures

DEVICES: Final = 1_000
DEVICES_MAX: Final = 12_000
ROUNDS: Final = 7
AGENT_ROUNDS: Final = 3
_READY_S_MAX: Final = 300.0
_ARRIVED_S_MAX: Final = 60.0
_REST_S: Final = 0.6
_QUIET_HEARTBEAT_MS: Final = 600_000
_NATS: Final = "nats-server"

Rounds = dict[str, list[float]]


async def measure(devices: int, *, rounds: int, agents: bool, peers: bool) -> Figures:
    """All figures."""
    found: Rounds = {}
    async with ground(devices) as here:
        found |= await _bare_rounds(here, devices, rounds)
        if peers:
            found["nats_last_ms"] = await _nats_rounds(here, devices, rounds)
        if agents:
            alone = await _agent_rounds(here, 1, AGENT_ROUNDS)
            found |= {"one_agent_ms": alone["last_ms"]} | await _agent_rounds(here, devices, AGENT_ROUNDS)
            found["floor_ms"] = [floor_ms(here.town)]
    median: Figures = {name: round(statistics.median(times), 2) for name, times in found.items()}
    figures: Figures = {"devices": devices, "rounds": rounds} | median
    figures["ratio"] = told.ratio(float(median["controller_path_last_ms"]), float(median["bare_last_ms"]))
    for peer in ("bare", "nats") if agents else ():
        if f"{peer}_last_ms" in median:
            figures[f"ratio_{peer}"] = told.ratio(float(median["last_ms"]), float(median[f"{peer}_last_ms"]))
    return figures


async def _bare_rounds(here: Ground, devices: int, rounds: int) -> Rounds:
    """Bare and controller path in turn, so that whatever else the machine does falls on both alike."""
    topic, port = unit_topic(PROVINCE, ALERT), here.lines.port
    found: Rounds = {"bare_last_ms": [], "controller_path_last_ms": []}
    publisher = await BarePublisher.open(HOSTS[0], port)
    async with ears("mqtt", devices, host=HOSTS[0], port=port, topic=topic) as crew:
        await crew.all_came("ready", within_s=_READY_S_MAX)
        for number in range(rounds + 1):
            alert, cancel = here.town.emergency()
            straight = await _round(crew, partial(publisher.publish, topic, alert.pack()), 2 * number)
            path = await _round(crew, partial(here.post, alert, cancel), 2 * number + 1)
            if number:  # the first round warms everything up
                found["bare_last_ms"].append(straight)
                found["controller_path_last_ms"].append(path)
    publisher.close()
    return found


async def _nats_rounds(here: Ground, devices: int, rounds: int) -> list[float]:
    async with NatsServer.running() as server:
        publisher = await NatsPublisher.open(HOSTS[0], server.port)
        async with ears("nats", devices, host=HOSTS[0], port=server.port, topic="") as crew:
            await crew.all_came("ready", within_s=_READY_S_MAX)
            payload = here.town.emergency()[0].pack()
            times = [await _round(crew, partial(publisher.publish, payload), number) for number in range(rounds + 1)]
        publisher.close()
    return times[1:]


async def _round(crew: Crew, send: Callable[[], Awaitable[int]], number: int) -> float:
    waiting = asyncio.ensure_future(crew.all_came(f"message-{number}", within_s=_ARRIVED_S_MAX))
    began_ns = await send()
    took_ms = ((await waiting)[-1] - began_ns) / 1e6
    await asyncio.sleep(_REST_S)
    return took_ms


async def _agent_rounds(here: Ground, devices: int, rounds: int) -> Rounds:
    found: Rounds = {"last_ms": [], "p50_ms": [], "agent_cpu_ms": []}
    await scenes.emergency_over()  # what was sent before must not be told to those who come now
    began_ns = time.monotonic_ns()
    async with here.fleet(devices, "--heartbeat-ms", str(_QUIET_HEARTBEAT_MS)) as crew:
        await scenes.connect(here, crew, began_ns=began_ns)
        for number in range(rounds + 1):
            cost = Cost({"agents": [psutil.Process(pid) for pid in crew.pids]})
            times = await scenes.emergency(here, crew)
            spent_ms = 1000 * cost.spent_s()["agents_cpu_s"] / devices
            await scenes.emergency_over()
            if number:
                found["last_ms"].append(times[-1])
                found["p50_ms"].append(times[len(times) // 2])
                found["agent_cpu_ms"].append(spent_ms)
    return found


def main(argv: Sequence[str]) -> int:
    """Prints the figure."""
    flags = told.parser("alert-fanout", __doc__, peers="nats-server; the bare broker is always measured")
    flags.add_argument("--devices", type=int, default=DEVICES)
    flags.add_argument("--rounds", type=int, default=ROUNDS, help="of bare subscribers; agents have three")
    flags.add_argument("--no-agents", action="store_true", help="only bare subscribers")
    options = flags.parse_args(argv)
    if not 1 <= options.devices <= DEVICES_MAX or not 1 <= options.rounds <= 50:
        flags.error(f"devices 1 to {DEVICES_MAX}, rounds 1 to 50")
    lacking = {"nats": [] if shutil.which(_NATS) else [_NATS]} if options.peers else {}
    peers = bool(told.present(lacking))
    work = measure(options.devices, rounds=options.rounds, agents=not options.no_agents, peers=peers)
    try:
        figures = run(work)
        figures |= {"version_mosquitto": asyncio.run(version())} | told.ground("paho-mqtt", "aiohttp")
        figures |= {"version_nats": asyncio.run(nats_version())} if peers else {}
    except (CrewError, RefusedError, BrokerLackingError, ChildError, TimeoutError, OSError) as error:
        print(f"alert-fanout: {error}", file=sys.stderr)
        return 1
    told.tell(figures, as_json=options.json)
    return told.lack(lacking)
