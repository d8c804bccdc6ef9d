"""A process full of receivers for the figure `alert-fanout`: bare subscribers, or real agents.

It prints one JSON line when all are ready, and one line for each emergency when the last of them has it:
`{"last_ns": ..., "count": ...}` on the machine's monotonic clock, which all processes share. It ends with its input.
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
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from edge.app import run_agent
from edge.config import AgentConfig
from edge.core.output import AlertOutput, Output
from edge.core.state import AgentState
from edge.ports import Clock, MediaStore
from protocol.clock import MonoMs
from protocol.units import UnitPath
from simulators.bench.bare_subscriber import BareSubscriber
from simulators.board import SimBoard
from simulators.light_audio import LightAudio
from simulators.loop_clock import LoopClock
from simulators.machine import LatePlayer

SWITCH_S: Final = 0.0002
AT_ONCE: Final = 20
"""Receivers that connect at the same time: the figure is not about connecting."""
_HEARTBEAT_MS: Final = 600_000


class Tally:
    """Counts arrivals of each emergency until all receivers have it."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._ready = 0
        self._arrived: Counter[str] = Counter()
        self.all_ready = asyncio.Event()

    def ready(self) -> None:
        """One more receiver is ready."""
        self._ready += 1
        if self._ready == self._count:
            self.all_ready.set()
            _say(ready=self._count)

    def arrived(self, name: str, at_ns: int) -> None:
        """One receiver has it."""
        self._arrived[name] += 1
        if self._arrived[name] == self._count:
            _say(last_ns=at_ns, count=self._count)


def _say(**values: Any) -> None:
    print(json.dumps(values), flush=True)


async def run_bare(count: int, *, port: int, topic: str, name: str) -> None:
    """Bare subscribers; the n-th message of each is the n-th emergency."""
    tally, loop = Tally(count), asyncio.get_running_loop()
    limit = asyncio.Semaphore(AT_ONCE)

    async def open_one(number: int) -> None:
        numbered = iter(range(1_000_000))
        made = BareSubscriber(
            f"{name}-{number}",
            topic,
            ready=tally.ready,
            received=lambda at: tally.arrived(str(next(numbered)), at),
        )
        async with limit:
            await loop.create_connection(lambda: made, "127.0.0.1", port)

    await asyncio.gather(*(open_one(number) for number in range(count)))
    await _end_of_input()


class _TimedAudio(LightAudio):
    """Notes when the agent switches its output to an emergency."""

    def __init__(self, clock: Clock, store: MediaStore, *, switched: Callable[[str, int], None]) -> None:
        super().__init__(clock, store)
        self._switched, self._known = switched, set[str]()

    async def switch(self, output: Output, *, at: MonoMs) -> None:
        """See `edge.ports.Audio`."""
        if isinstance(output, AlertOutput) and output.alert_id not in self._known:
            self._known.add(output.alert_id)
            self._switched(output.alert_id, time.monotonic_ns())
        await super().switch(output, at=at)


async def run_agents(configs: list[AgentConfig]) -> None:
    """Real agents, without a sound card: what counts is when the output is switched."""
    tally, limit = Tally(len(configs)), asyncio.Semaphore(AT_ONCE)
    # Each device has an interpreter of its own. Here hundreds share one, and with the usual interval each write to a
    # disk would wait several milliseconds for the others; nor does a device's garbage hold hundreds of agents.
    sys.setswitchinterval(SWITCH_S)

    async def run_one(config: AgentConfig) -> None:
        settled, told = asyncio.Event(), [False]

        def observe(state: AgentState) -> None:
            if state.trust.grants and state.clock.attested is not None and state.link_up and not told[0]:
                told[0] = True
                settled.set()
                tally.ready()

        def audio(clock: Clock, store: MediaStore) -> LightAudio:
            return _TimedAudio(clock, store, switched=tally.arrived)

        clock = LoopClock()
        async with limit:
            agent = run_agent(
                config, SimBoard(clock, keep_s=1), LatePlayer(), audio=audio, clock=clock, observe=observe
            )
            task = asyncio.create_task(agent)
            await asyncio.wait({task, asyncio.create_task(settled.wait())}, return_when=asyncio.FIRST_COMPLETED)
        await task

    tasks = [asyncio.create_task(run_one(config)) for config in configs]
    await tally.all_ready.wait()
    gc.collect()
    gc.freeze()
    await _end_of_input()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _end_of_input() -> None:
    """Returns when the parent closes our input, or is gone."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


def _configs(options: argparse.Namespace) -> list[AgentConfig]:
    directory = Path(options.data)
    return [
        AgentConfig(
            device=f"{options.name}-{number}",
            place=UnitPath(f"{options.unit}/{options.name}-{number}"),
            controller_url=options.controller,
            mqtt_host="127.0.0.1",
            mqtt_port=options.port,
            token=f"token-{options.name}-{number}",
            anchor=str(directory / "anchor.json"),
            data=str(directory / "devices" / f"{options.name}-{number}"),
            heartbeat_ms=_HEARTBEAT_MS,
            keepalive_s=300,
            media_reserve_mb=0,
            system_clock=False,
        )
        for number in range(options.count)
    ]


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("bare", "agents"))
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--topic")
    parser.add_argument("--name", required=True)
    parser.add_argument("--unit")
    parser.add_argument("--controller")
    parser.add_argument("--data")
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    with contextlib.suppress(KeyboardInterrupt):
        if options.kind == "bare":
            asyncio.run(run_bare(options.count, port=options.port, topic=options.topic, name=options.name))
        else:
            asyncio.run(run_agents(_configs(options)))


if __name__ == "__main__":
    main()
