"""Plays the main story with one of its devices as an emulated arm64 computer: `script/image boot`.

One JSON line for each step on standard output; exit code 0 when every step went well, else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from simulators.emulation.story import play
from simulators.emulation.workshop import play_workshop
from simulators.story.stage import CUT, FOREIGN, LACKING, MAIN, POWER, QUIET
from simulators.story.steps import Steps

WORKSHOP = "workshop"
PARTS = {"main": MAIN, "cut": CUT, "power": POWER, "lacking": LACKING, "foreign": FOREIGN, "quiet": QUIET}


def main(argv: Sequence[str]) -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="script/image boot", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--built", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "--part",
        choices=[*PARTS, WORKSHOP, "all"],
        default="power",
        help="which device of the story is emulated; `workshop`: the technician's menu instead of the story; "
        "`all`: the story six times, each with another device, and the workshop",
    )
    parser.add_argument("--keep", type=Path, help="an empty directory for all data, instead of a temporary one")
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("mqtt").setLevel(logging.CRITICAL)  # the lines that the story cuts
    failed = [
        name
        for part in ((*PARTS, WORKSHOP) if options.part == "all" else [options.part])
        for name in _played(part, built=options.built, keep=options.keep)
    ]
    return 1 if failed else 0


def _played(part: str, *, built: Path, keep: Path | None) -> list[str]:
    """Names of the steps that failed."""
    steps, began_s = Steps(lambda line: print(line, flush=True)), time.monotonic()
    print(json.dumps({"emulated": part, "place": PARTS.get(part, MAIN)}), flush=True)
    with tempfile.TemporaryDirectory(prefix="loalang-") as folder:
        data = keep / part if keep else Path(folder)
        data.mkdir(parents=True, exist_ok=True)
        if part == WORKSHOP:
            asyncio.run(play_workshop(steps, data, built=built))
        else:
            asyncio.run(play(steps, data, built=built, place=PARTS[part]))
    print(json.dumps({"emulated": part, "failed": steps.failed, "s": round(time.monotonic() - began_s)}), flush=True)
    return steps.failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
