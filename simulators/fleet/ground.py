"""A controller, a broker, and room for a fleet: started for a block, stopped by their own ids, on loopback only."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import psutil

from protocol.envelope import Envelope
from simulators.child import Child, free_ports
from simulators.fleet.crew import Crew, Lines, crew
from simulators.fleet.mosquitto import HOSTS, Mosquitto
from simulators.fleet.paper import Paper
from simulators.fleet.town import LOGIN, Town

MEMORY: Final = "/dev/shm"  # noqa: S108 - a directory with a random name is made in it
_ANSWER_S_MAX: Final = 120.0


class RefusedError(Exception):
    """The controller did not take what was signed."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What every scene stands on.

    Attributes:
        broker: None when the controller's own is used.
        stores: where the devices' stores are.
    """

    town: Town
    paper: Paper
    controller: Child
    broker: Mosquitto | None
    lines: Lines
    web: aiohttp.ClientSession
    stores: Path

    async def post(self, *envelopes: Envelope) -> int:
        """Hands envelopes in as the signer does; gives the monotonic nanoseconds just before.

        Raises:
            RefusedError: with what was said.
        """
        body = {"envelopes": [one.pack().decode() for one in envelopes]}
        began_ns = time.monotonic_ns()
        async with self.web.post(f"{self.lines.controller}/api/v1/envelopes", json=body) as answer:
            said = await answer.json()
        if any(one["state"] != "accepted" for one in said["results"]):
            raise RefusedError(str(said)[:500])
        return began_ns

    async def page_ms(self, path: str) -> float:
        """How long a page of an officer takes, from the question to its last byte."""
        began_ns = time.monotonic_ns()
        async with self.web.get(f"{self.lines.controller}{path}") as answer:
            answer.raise_for_status()
            await answer.read()
        return (time.monotonic_ns() - began_ns) / 1e6

    def fleet(self, count: int, *arguments: str) -> AbstractAsyncContextManager[Crew]:
        """So many agents, until the block ends."""
        return crew(count, self.lines, self.town, self.stores, *arguments)

    def processes(self) -> dict[str, psutil.Process]:
        """Those whose cost is of interest, by name."""
        found = {"controller": psutil.Process(self.controller.pid)}
        return found if self.broker is None else {**found, "broker": psutil.Process(self.broker.pid)}


@asynccontextmanager
async def ground(count: int, *, embedded: bool = False, stores: Path | None = None) -> AsyncIterator[Ground]:
    """Starts them, with so many devices enrolled.

    Args:
        embedded: the controller's own broker instead of mosquitto.
        stores: a directory for the devices' stores; one in memory when none is given.
    """
    async with AsyncExitStack() as stack:
        memory = MEMORY if os.access(MEMORY, os.W_OK) else None
        disk = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loalang-fleet-")))
        made = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="loalang-fleet-", dir=stores or memory, ignore_cleanup_errors=True)
        )
        mqtt_port, http_port = free_ports(2)
        town = Town(disk / "controller")
        await town.furnish(count)
        broker = None if embedded else Mosquitto(disk, mqtt_port)
        if broker is not None:
            stack.push_async_callback(broker.stop)
            await broker.start()
        controller = _controller(town, disk, http_port, mqtt_port, embedded=embedded)
        stack.push_async_callback(controller.stop)
        await controller.start()
        origin = f"http://127.0.0.1:{http_port}"
        await controller.healthy(f"{origin}/health")
        web = await stack.enter_async_context(_signed_in(origin, town))
        lines = Lines(origin, HOSTS[:1] if embedded else HOSTS, mqtt_port)
        found = Ground(town, Paper(town.data), controller, broker, lines, web, Path(made))
        await found.post(*town.grants())
        yield found


def _controller(town: Town, disk: Path, http_port: int, mqtt_port: int, *, embedded: bool) -> Child:
    arguments = ["controller", "--data", str(town.data), "--port", str(http_port)]
    where = ["--mqtt-port", str(mqtt_port)] if embedded else ["--broker", f"mqtt://{HOSTS[0]}:{mqtt_port}"]
    return Child("controller", [*arguments, *where], log=disk / "controller.log")


@asynccontextmanager
async def _signed_in(origin: str, town: Town) -> AsyncIterator[aiohttp.ClientSession]:
    timeout = aiohttp.ClientTimeout(total=_ANSWER_S_MAX)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=timeout) as web:
        credentials = {"login": LOGIN, "password": town.password}
        async with web.post(f"{origin}/api/v1/session", json=credentials) as answer:
            answer.raise_for_status()
            web.headers["X-CSRF-Token"] = (await answer.json())["csrf"]
        yield web
