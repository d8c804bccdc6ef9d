"""Runs one agent: `python -m edge --config device.json`. SIGTERM and Ctrl-C end it cleanly."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from edge.adapters.notify import Notify
from edge.app import run_agent
from edge.config import AGENT_VERSION, ConfigError, read_config
from edge.core.state import AgentState
from edge.machine import load


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m edge", description="The agent of one loudspeaker cluster.")
    parser.add_argument("--config", type=Path, required=True, help="device.json, written at enrolment")
    parser.add_argument("--version", action="version", version=AGENT_VERSION)
    parser.add_argument("--verbose", action="store_true", help="log everything")
    arguments = parser.parse_args()
    level = logging.DEBUG if arguments.verbose else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_run(arguments.config))
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _run(path: Path) -> None:
    config, notify = read_config(path), Notify.from_environment()
    make_board, make_player = load(config.board, what="board"), load(config.player, what="player")
    board, player = make_board(config), make_player()
    agent = asyncio.ensure_future(run_agent(config, board, player, observe=_ReadyOnce(notify)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agent.cancel)
    try:
        await agent
    except asyncio.CancelledError:
        logging.getLogger(__name__).info("the agent has ended")
    finally:
        notify.stopping()
        if hasattr(board, "close"):
            await board.close()


class _ReadyOnce:
    """Tells the service manager that the agent is up as soon as there is a first state."""

    def __init__(self, notify: Notify) -> None:
        self._notify, self._told = notify, False

    def __call__(self, state: AgentState) -> None:
        if not self._told:
            self._told = True
            self._notify.ready()


if __name__ == "__main__":
    sys.exit(main())
