"""A process full of agents: `python -m simulators.fleet.worker`, started and heard by `simulators.fleet.crew`.

It prints one JSON line each time all of its devices have come to something (`simulators.fleet.muster`):

settled        the link is up, the operator's grant is held and the clock is believed
up-<n>         the link is up after it went down for the n-th time
alert-<id>     the output is switched to that emergency

A line on its input is a question: `letters` asks how many reports wait in all outboxes, any other word who has come
to that mark so far. It ends with its input.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edge.app import run_agent
from edge.config import AgentConfig
from edge.core.output import AlertOutput, Output
from edge.core.state import AgentState
from edge.disk import Disk
from edge.ports import Clock, MediaStore
from protocol.clock import MonoMs
from simulators.board import SimBoard
from simulators.fleet.day import fill_outbox, letters_waiting
from simulators.fleet.muster import Muster, say
from simulators.fleet.names import DEVICES_MAX, Resident, resident
from simulators.light_audio import LightAudio
from simulators.loop_clock import LoopClock
from simulators.machine import LatePlayer

_SWITCH_S: Final = 0.005
_COMMAND_BYTES_MAX: Final = 1024


class TimedAudio(LightAudio):
    """Notes when the agent switches its output to an emergency."""

    def __init__(self, clock: Clock, store: MediaStore, *, device: str, muster: Muster) -> None:
        super().__init__(clock, store)
        self._device, self._muster = device, muster

    async def switch(self, output: Output, *, at: MonoMs) -> None:
        """See `edge.ports.Audio`."""
        if isinstance(output, AlertOutput):
            self._muster.mark(f"alert-{output.alert_id}", self._device, time.monotonic_ns())
        await super().switch(output, at=at)


@dataclass(slots=True)
class Watched:
    """What is looked for in the states of one agent."""

    device: str
    muster: Muster
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    _up: bool = False
    _downs: int = 0

    def observe(self, state: AgentState) -> None:
        """See `edge.app.run_agent`."""
        if state.link_up is not self._up:
            self._up = state.link_up
            self._downs += not self._up
            if self._up and self._downs:
                self.muster.mark(f"up-{self._downs}", self.device, time.monotonic_ns())
        if not self.settled.is_set() and self._up and state.trust.grants and state.clock.agreed is not None:
            self.settled.set()
            self.muster.mark("settled", self.device, time.monotonic_ns())


async def run_fleet(configs: list[AgentConfig], *, at_once: int) -> None:
    """Runs agents until the input ends.

    Args:
        at_once: how many come up at the same time.
    """
    muster, limit = Muster(len(configs)), asyncio.Semaphore(at_once)

    async def run_one(config: AgentConfig) -> None:
        watched, clock = Watched(config.device, muster), LoopClock()

        def audio(sound_clock: Clock, store: MediaStore) -> TimedAudio:
            return TimedAudio(sound_clock, store, device=config.device, muster=muster)

        async with limit:
            agent = asyncio.create_task(
                run_agent(
                    config,
                    SimBoard(clock, keep_s=0),
                    LatePlayer(),
                    audio=audio,
                    clock=clock,
                    observe=watched.observe,
                    disk=Disk(None),
                )
            )
            settled = asyncio.create_task(watched.settled.wait())
            await asyncio.wait({agent, settled}, return_when=asyncio.FIRST_COMPLETED)
            settled.cancel()
        try:
            await agent
        finally:
            agent.cancel()
            await asyncio.gather(agent, return_exceptions=True)

    tasks = [asyncio.create_task(run_one(config)) for config in configs]
    await _answer(muster, [Path(config.data) for config in configs])
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(muster: Muster, places: list[Path]) -> None:
    """Answers questions until the parent closes our input, or is gone."""
    reader = asyncio.StreamReader(limit=_COMMAND_BYTES_MAX)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        word = line.decode().strip()
        if word == "letters":
            say(letters=sum(letters_waiting(place) for place in places))
        elif word == "calm":
            # A device's garbage never holds hundreds of agents.
            gc.collect()
            gc.freeze()
            say(calm=True)
        else:
            muster.tell(word)


def config_of(one: Resident, options: argparse.Namespace) -> AgentConfig:
    """How a device is configured: as enrolment does it, but for the loopback and the memory."""
    return AgentConfig(
        device=one.device,
        place=one.place,
        controller_url=options.controller,
        mqtt_host=options.broker,
        mqtt_port=options.port,
        token=one.token,
        anchor=str(options.anchor),
        data=str(options.data / one.device),
        heartbeat_ms=options.heartbeat_ms,
        media_reserve_mb=0,
        system_clock=False,
    )


def _parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--communes", type=Path, required=True)
    parser.add_argument("--anchor", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--controller", required=True)
    parser.add_argument("--broker", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--heartbeat-ms", type=int, default=60_000)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--day-records", type=int, default=0, help="reports of a day offline, for each device")
    options = parser.parse_args()
    if not 1 <= options.first + options.count <= DEVICES_MAX:
        parser.error(f"at most {DEVICES_MAX} devices")
    return options


def main() -> None:
    """Entry point of the process."""
    options = _parsed()
    logging.basicConfig(level=logging.ERROR)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    sys.setswitchinterval(_SWITCH_S)
    communes = json.loads(options.communes.read_text())
    residents = [resident(options.first + number, communes) for number in range(options.count)]
    configs = [config_of(one, options) for one in residents]
    for config in configs if options.day_records else ():
        fill_outbox(Path(config.data), config.device, options.day_records)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run_fleet(configs, at_once=options.at_once))


if __name__ == "__main__":
    main()
