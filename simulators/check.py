"""Plays the main story unattended: `script/run --check [--audio FILE]`.

One JSON line for each step on standard output; exit code 0 when every step went well, else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from simulators.story.play import play
from simulators.story.steps import Steps


def main(argv: Sequence[str]) -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="script/run --check", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--audio", type=Path, help="a sound file in any common format; else speech is made")
    parser.add_argument("--broker", help="mqtt://host:port of an outside broker")
    parser.add_argument("--keep", type=Path, help="an empty directory for all data, instead of a temporary one")
    options = parser.parse_args(argv)
    if options.audio is not None and not options.audio.is_file():
        print(f"{options.audio}: there is no such file", file=sys.stderr)
        return 1
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # the lines that the story cuts
    steps = Steps(lambda line: print(line, flush=True))
    with tempfile.TemporaryDirectory(prefix="loalang-") as folder:
        asyncio.run(play(steps, options.keep or Path(folder), audio=options.audio, broker=options.broker))
    return 1 if steps.failed else 0
