"""`python -m simulators.crash --seconds 60 --seed 1`: random power cuts for so long; ends with 1 if one does harm."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence
from random import Random
from typing import Final

from simulators.crash.stories import LONG_STORIES
from simulators.crash.trial import Findings, card_place, go_through

_SAMPLES: Final = 3


def main(argv: Sequence[str]) -> int:
    """Goes through stories until the time is over, each at least once."""
    parser = argparse.ArgumentParser(prog="python -m simulators.crash", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--story", choices=sorted(LONG_STORIES), action="append", help="only this one; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="one flat object on the last line")
    options = parser.parse_args(argv)
    logging.disable(logging.CRITICAL)  # every second card is damaged, and told so
    ends_s, rounds, found = time.monotonic() + options.seconds, 0, Findings()
    while rounds == 0 or time.monotonic() < ends_s:
        for name in options.story or LONG_STORIES:
            findings = _one_round(name, Random(f"{options.seed} {rounds} {name}"))
            found.add(findings)
            for one in findings.faults:
                print(f"seed {options.seed}, round {rounds}, {name}: {one}", file=sys.stderr)
        rounds += 1
    told = {"rounds": rounds, "cuts": found.cuts, "different": found.different, "faults": len(found.faults)}
    for key, value in told.items():
        print(f"{key:>10}  {value}")
    if options.json:
        print(json.dumps(told))
    return int(bool(found.faults))


def _one_round(name: str, random: Random) -> Findings:
    findings = Findings()
    with card_place() as directory:
        story = LONG_STORIES[name](directory)
        cuts = story.cuts(random, samples=_SAMPLES)
        for one in (cuts.honest(), cuts.lying()) if story.may_lie else (cuts.honest(),):
            findings.add(go_through(one, story.judge, scratch=directory / "scratch"))
    return findings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
