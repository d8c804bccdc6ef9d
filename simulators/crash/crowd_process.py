"""A process of real agents without sound cards, to be killed: `python -m simulators.crash.crowd_process FILE...`.

Each file is a `device.json`. What differs from `python -m edge`: a light sound path, a ledger beside each outbox, and
less waiting between tries, since in the field nobody is killed every second.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import edge.app
import edge.runner
from edge.adapters.mqtt_link import Broker, MqttLink
from edge.app import run_agent
from edge.backoff import Backoff
from edge.config import AgentConfig, read_config
from protocol.units import UnitPath
from simulators.board import SimBoard
from simulators.crash.ledger import LedgerOutbox, LedgerReporter
from simulators.light_audio import LightAudio
from simulators.loop_clock import LoopClock
from simulators.machine import LatePlayer

BELIEVE_BROKER: Final = "--believe-broker"


async def _run(configs: list[AgentConfig]) -> None:
    for module, name, made in (
        (edge.app, "SqliteOutbox", LedgerOutbox),
        (edge.app, "MqttLink", _quick_link),
        (edge.runner, "Reporter", LedgerReporter),
    ):
        setattr(module, name, made)
    async with asyncio.TaskGroup() as group:
        for config in configs:
            clock = LoopClock()
            board = SimBoard(clock, keep_s=1)
            group.create_task(run_agent(config, board, LatePlayer(), audio=LightAudio, clock=clock))


def _quick_link(broker: Broker, place: UnitPath, *, confirmed: Callable[[bytes], None]) -> MqttLink:
    return MqttLink(broker, place, backoff=Backoff(low_s=0.2, high_s=1.0), confirmed=confirmed)


def main(files: list[str]) -> int:
    """Runs until it is killed."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    LedgerReporter.believes_broker = BELIEVE_BROKER in files
    configs = [read_config(Path(one)) for one in files if one != BELIEVE_BROKER]
    for config in configs:
        Path(config.data).mkdir(parents=True, exist_ok=True)
    asyncio.run(_run(configs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
