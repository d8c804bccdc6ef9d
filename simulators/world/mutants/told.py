"""`python -m simulators.world.mutants.told NAME FILE`: what a deliberate break leads to, told as a short story.

The plan in the file is run on the agent with that break in it. With `--seed` the plan is made first: drawn from its
seed, and made as short as it can be while it still breaks a rule. `--svg` draws it; docs/simulation.md shows one.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from simulators.world.mutants.catalogue import MUTANTS
from simulators.world.mutants.mutant import put_in


def main(argv: list[str]) -> int:
    """Exit code 1 as a rule is broken, 0 when it was not, 2 when there is no plan that could be told."""
    options = _options(argv)
    logging.disable(logging.WARNING)
    put_in(MUTANTS[options.name])
    from simulators.replay import main as replay  # from here on the agent is broken

    if options.seed is not None and not _make(options):
        print("no rule is broken", file=sys.stderr)
        return 2
    drawn = ["--svg", str(options.svg), "--title", options.title or options.name] if options.svg else []
    return replay([str(options.file), *drawn])


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators.world.mutants.told", description=__doc__)
    parser.add_argument("name", choices=sorted(MUTANTS), metavar="NAME", help="which break")
    parser.add_argument("file", type=Path, help="the plan, as JSON")
    parser.add_argument("--svg", type=Path, help="draw the story into this file")
    parser.add_argument("--title", default="", help="stands above the picture; the break's name if not given")
    parser.add_argument("--seed", type=int, help="make the plan from this seed")
    parser.add_argument("--devices", type=int, default=6)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--rule", default="", help="the rule that counts; the first broken one if not given")
    return parser.parse_args(argv)


def _make(options: argparse.Namespace) -> bool:
    from simulators.world.plan import Shape, write_plan
    from simulators.world.shrink import Shrinker
    from simulators.world.world import Run, plan_of

    plan = plan_of(Shape(options.seed, options.devices, options.days))
    run = Run(plan, violations_max=200 if options.rule else 1)
    run()
    broken = [one.rule for one in run.violations if options.rule in ("", one.rule)]
    if not broken:
        return False
    short = Shrinker(plan, broken[0], tell=lambda words: print(words, file=sys.stderr, flush=True))()
    options.file.write_bytes(write_plan(short))
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
