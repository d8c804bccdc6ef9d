"""Runs one agent: `python -m edge --config device.json`. SIGTERM and Ctrl-C end it cleanly."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from edge.app import run_agent
from edge.config import AGENT_VERSION, ConfigError, read_config
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
    config = read_config(path)
    make_board, make_player = load(config.board, what="board"), load(config.player, what="player")
    agent = asyncio.ensure_future(run_agent(config, make_board(config), make_player()))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, agent.cancel)
    try:
        await agent
    except asyncio.CancelledError:
        logging.getLogger(__name__).info("the agent has ended")


if __name__ == "__main__":
    sys.exit(main())
