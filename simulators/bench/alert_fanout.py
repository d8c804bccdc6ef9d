"""Figure `alert-fanout`: from the signed emergency at the controller's door to the last of 1,000 receivers.

Three ways through the same mosquitto in one run, the median of some rounds of each:

bare_last_ms             the same bytes published straight at the broker, to the last of N bare subscribers
controller_path_last_ms  HTTP `POST /api/v1/envelopes` with the emergency and its cancel, verified, stored durably,
                         published, to the last of N bare subscribers
one_agent_ms             the same POST to one real agent alone, having verified and stored it, switching its output
last_ms                  the same to the last of N real agents
ratio                    controller_path_last_ms / bare_last_ms

Everything runs on this machine: broker, controller and two processes of receivers share its cores, so `last_ms` is
above all the processor time of N agents divided by the cores; real devices have a processor each. The agents share
one disk, too, so their state lies in memory (`/dev/shm`) where there is such a place. Loopback only; what was started
is stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp

from protocol.envelope import Envelope
from protocol.topics import ALERT, unit_topic
from simulators.bench.bare_subscriber import connect, packet, text
from simulators.bench.fanout_office import LIFE_MS, UNIT, Office
from simulators.bench.fanout_processes import WORKERS, Receivers, mosquitto, receivers, start_broker
from simulators.child import Child, free_ports

DEVICES: Final = 1000
ROUNDS: Final = 7
_REST_S: Final = 0.6
_REPORTS_S: Final = 3.0
MEMORY: Final = "/dev/shm"  # noqa: S108 - a directory with a random name is made in it


class BarePublisher:
    """One raw connection that publishes with QoS 1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> BarePublisher:
        """Connects."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(connect("bare-publisher"))
        await reader.readexactly(4)
        return cls(reader, writer)

    async def publish(self, topic: str, payload: bytes) -> int:
        """Publishes; gives the instant just before."""
        data = packet(0x32, text(topic) + b"\x00\x01" + payload)
        began_ns = time.monotonic_ns()
        self._writer.write(data)
        await self._reader.readexactly(4)
        return began_ns

    def close(self) -> None:
        """Ends the connection."""
        self._writer.close()


@dataclass(frozen=True, slots=True)
class Ground:
    """What every part of the measurement uses."""

    office: Office
    session: aiohttp.ClientSession
    mqtt_port: int
    controller: str
    data: Path

    async def post(self, *envelopes: Envelope) -> int:
        """Hands envelopes in as the signer does; gives the instant just before."""
        body = {"envelopes": [one.pack().decode() for one in envelopes]}
        began_ns = time.monotonic_ns()
        async with self.session.post(f"{self.controller}/api/v1/envelopes", json=body) as answer:
            results = (await answer.json())["results"]
        refused = [one for one in results if one["state"] != "accepted"]
        if refused:
            raise RuntimeError(f"the controller refused: {refused}")
        return began_ns


Rounds = dict[str, list[float]]


async def measure(devices: int, *, rounds: int, agents: bool, verbose: bool = False) -> dict[str, Any]:
    """All figures."""
    async with _ground(devices) as ground:
        found = await _bare_rounds(ground, devices, rounds)
        if agents:
            found["one_agent_ms"] = await _agent_rounds(ground, 1, rounds)
            found["last_ms"] = await _agent_rounds(ground, devices, rounds)
    if verbose:
        for name, times in found.items():
            print(f"{name:>24}  " + " ".join(f"{one:.1f}" for one in times), file=sys.stderr)
    median = {name: round(statistics.median(times), 1) for name, times in found.items()}
    ratio = round(median["controller_path_last_ms"] / median["bare_last_ms"], 2)
    return {"devices": devices, "rounds": rounds, **median, "ratio": ratio}


@asynccontextmanager
async def _ground(devices: int) -> AsyncIterator[Ground]:
    """Broker and controller."""
    async with AsyncExitStack() as stack:
        place = MEMORY if os.access(MEMORY, os.W_OK) else None
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loalang-fanout-", dir=place)))
        disk = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loalang-fanout-")))
        mqtt_port, http_port = free_ports(2)
        await start_broker(stack, disk, mqtt_port)
        office = Office(disk / "controller")
        names = [f"a{worker}-{number}" for worker in range(WORKERS) for number in range(devices // WORKERS + 1)]
        await office.furnish(names)
        (data / "anchor.json").write_bytes((office.data / "anchor.json").read_bytes())
        arguments = ["controller", "--data", str(office.data), "--port", str(http_port)]
        controller = Child(
            "controller", [*arguments, "--broker", f"mqtt://127.0.0.1:{mqtt_port}"], log=disk / "controller.log"
        )
        await controller.start()
        stack.push_async_callback(controller.stop)
        origin = f"http://127.0.0.1:{http_port}"
        await controller.healthy(f"{origin}/health")
        session = await stack.enter_async_context(aiohttp.ClientSession())
        ground = Ground(office, session, mqtt_port, origin, data)
        await ground.post(*office.grants())
        yield ground


async def _bare_rounds(ground: Ground, devices: int, rounds: int) -> Rounds:
    """Bare and controller path in turn, so that whatever else the machine does falls on both alike."""
    topic = unit_topic(UNIT, ALERT)
    found: Rounds = {"bare_last_ms": [], "controller_path_last_ms": []}
    publisher = await BarePublisher.open(ground.mqtt_port)
    async with receivers("bare", devices, "--port", str(ground.mqtt_port), "--topic", topic) as ears:
        for number in range(rounds + 1):
            alert, cancel = ground.office.emergency()
            straight = await _round(ears, partial(publisher.publish, topic, alert.pack()))
            path = await _round(ears, partial(ground.post, alert, cancel))
            if number:  # the first round warms everything up
                found["bare_last_ms"].append(straight)
                found["controller_path_last_ms"].append(path)
    publisher.close()
    return found


async def _round(ears: Receivers, send: Callable[[], Awaitable[int]]) -> float:
    waiting = asyncio.ensure_future(ears.last_ns())
    began_ns = await send()
    took_ms = (await waiting - began_ns) / 1e6
    await asyncio.sleep(_REST_S)
    return took_ms


async def _agent_rounds(ground: Ground, devices: int, rounds: int) -> list[float]:
    arguments = ["--port", str(ground.mqtt_port), "--controller", ground.controller]
    arguments += ["--unit", UNIT, "--data", str(ground.data)]
    times = []
    await asyncio.sleep(LIFE_MS / 1000)  # what was sent before must not be told to those who come now
    async with receivers("agents", devices, *arguments) as ears:
        await asyncio.sleep(_REPORTS_S)
        for number in range(rounds + 1):
            took = await _round(ears, partial(ground.post, *ground.office.emergency()))
            await asyncio.sleep(LIFE_MS / 1000 + _REPORTS_S)  # it ends by itself, and its reports go up
            times += [took] if number else []
    return times


def versions() -> str:
    """What was measured on what."""
    import paho.mqtt

    return f"Python {platform.python_version()}, paho-mqtt {paho.mqtt.__version__}, aiohttp {aiohttp.__version__}"


async def _mosquitto_version() -> str:
    asked = await asyncio.create_subprocess_exec(mosquitto(), "-h", stdout=asyncio.subprocess.PIPE)
    out, _ = await asked.communicate()
    return out.decode().partition("\n")[0]


def main(argv: Sequence[str]) -> int:
    """Prints the figure."""
    parser = argparse.ArgumentParser(prog="alert-fanout", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="one flat object on the last line")
    parser.add_argument("--peers", action="store_true", help="the peer, the bare broker, is always measured")
    parser.add_argument("--devices", type=int, default=DEVICES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--no-agents", action="store_true", help="only bare subscribers")
    parser.add_argument("--verbose", action="store_true", help="every round, on standard error")
    options = parser.parse_args(argv)
    if not 1 <= options.devices <= 5000 or not 1 <= options.rounds <= 50:
        parser.error("devices 1 to 5000, rounds 1 to 50")
    work = measure(options.devices, rounds=options.rounds, agents=not options.no_agents, verbose=options.verbose)
    try:
        print(f"{asyncio.run(_mosquitto_version())}, {versions()}")
        figures = asyncio.run(work)
    except (RuntimeError, TimeoutError, OSError) as error:
        print(f"alert-fanout: {error!r}", file=sys.stderr)
        return 1
    for name, value in figures.items():
        print(f"{name:>24}  {value:g}")
    if options.json:
        print(json.dumps(figures))
    return 0
