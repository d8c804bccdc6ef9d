"""Runs worlds with one break in the agent until a checker notices.

`python -m simulators.world.mutants.child NAME DEVICES DAYS [SEED ...]` ends at the first violation with one line of
JSON: `rule`, `words`, `seed`, `who`. A world that fails altogether counts as noticed too. Nothing of the agent is
imported before the break is in place.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Final

from simulators.world.mutants.catalogue import MUTANTS
from simulators.world.mutants.mutant import put_in

WHOLE: Final = "none"
"""Instead of a break's name: the agent as it is."""


def main(argv: list[str]) -> int:
    """Arguments: the break's name, devices, days, and the seeds."""
    name, devices, days, *seeds = argv
    if name != WHOLE:
        put_in(MUTANTS[name])
    from simulators.world.mutants.trial import first_violation, plans

    logging.disable(logging.WARNING)
    logging.getLogger().addHandler(logging.NullHandler())
    for plan in plans(tuple(map(int, seeds)), devices=int(devices), days=float(days)):
        found = first_violation(plan, leave=_tell_and_leave)
        if found is not None:
            _tell_and_leave(found)
    return 0


def _tell_and_leave(found: dict[str, object]) -> None:
    """Many tasks of a world wait for each other's ends; nobody needs them any more."""
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
