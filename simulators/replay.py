"""`python -m simulators replay FILE` and `shrink FILE`: a plan that broke a rule, or a journal brought from a device.

A plan is run again and told as a story; `shrink` first makes it as short as it can be. A journal is what a device's
core was told: the core is told it again, and what it decided is printed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simulators.world.journal import JournalError, retell
from simulators.world.plan import Plan, read_plan, write_plan
from simulators.world.shrink import Shrinker
from simulators.world.story import Story
from simulators.world.timeline_svg import draw
from simulators.world.world import Run


def main(argv: list[str]) -> int:
    """`replay`: exit code 1 when a rule is broken, 2 when the file is neither a plan nor a journal."""
    options = _options("replay", argv)
    try:
        plan = read_plan(options.file.read_bytes()) if options.file.suffix == ".json" else None
        if plan is None:
            return _retell(options.file, options.device)
    except (OSError, ValueError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    return _tell(plan, options)


def shrink(argv: list[str]) -> int:
    """`shrink`: writes the short plan beside the long one, and tells it."""
    options = _options("shrink", argv)
    try:
        plan = read_plan(options.file.read_bytes())
    except (OSError, ValueError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    rule = options.rule or _first_rule(plan)
    if rule is None:
        print("this plan breaks no rule", file=sys.stderr)
        return 2
    short = Shrinker(plan, rule, tell=lambda words: print(words, file=sys.stderr, flush=True))()
    path = options.file.with_suffix(".short.json")
    path.write_bytes(write_plan(short))
    print(f"{path}: {rule}")
    return _tell(short, options)


def _options(name: str, argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m simulators {name}", description=__doc__)
    parser.add_argument(
        "file", type=Path, help="a plan (.json), or a device's journal: its directory or a file of it"
    )
    parser.add_argument("--rule", default="", help="the rule that counts; the first broken one if not given")
    parser.add_argument("--who", default="", help="tell only of this device")
    parser.add_argument("--events", action="store_true", help="tell also what each core was told")
    parser.add_argument("--svg", type=Path, help="draw the story into this file")
    parser.add_argument("--title", default="", help="stands above the picture; the seed if not given")
    parser.add_argument("--device", type=Path, help="device.json of the device whose journal it is")
    return parser.parse_args(argv)


def _first_rule(plan: Plan) -> str | None:
    run = Run(plan, violations_max=1)
    run()
    return run.violations[0].rule if run.violations else None


def _tell(plan: Plan, options: argparse.Namespace) -> int:
    story = Story(events=options.events)
    run = Run(plan, watch=lambda world: world.trace.listen(story.take))
    outcome = run()
    records = [one for one in story.records if not options.who or one.who == options.who]
    story.records = records
    for line in story.lines():
        print(line)
    if options.svg is not None and records:
        options.svg.write_text(draw(records, options.title or f"seed {plan.shape.seed}"), encoding="utf-8")
    print(f"{len(outcome.violations)} violations, trace {outcome.trace}")
    return int(bool(outcome.violations))


def _retell(path: Path, device: Path | None) -> int:
    try:
        for line in retell(path, device):
            print(line)
    except JournalError as error:
        print(f"{path}: {error}", file=sys.stderr)
        return 2
    return 0
