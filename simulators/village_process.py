"""The village as a process of its own: `python -m simulators village --config village.json --port 8091`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from protocol.errors import DocumentError
from simulators.village import open_panels, open_village, read_village


def main(argv: Sequence[str]) -> int:
    """Runs until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m simulators village", description=(__doc__ or "").partition(":")[0]
    )
    parser.add_argument("--config", type=Path, required=True, help="who lives in the village")
    parser.add_argument("--port", type=int, default=8091, help="port of the panels on 127.0.0.1")
    parser.add_argument("--framer", action="append", default=[], help="origin whose pages may frame the panels")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_run(options.config, port=options.port, framers=tuple(options.framer)))
    except (DocumentError, OSError) as error:
        print(f"village: {error}", file=sys.stderr)
        return 2
    return 0


async def _run(config: Path, *, port: int, framers: tuple[str, ...]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    enrolled, surroundings = read_village(config)
    async with open_village(enrolled, surroundings) as village, open_panels(village, port=port, framers=framers):
        await ended.wait()
