"""`python -m simulators COMMAND`: demo province, the main story unattended, a village, made-up worlds, a fleet."""

from __future__ import annotations

import importlib
import sys
from typing import Final

_COMMANDS: Final = {
    "demo": "simulators.demo",
    "check": "simulators.check",
    "village": "simulators.village_process",
    "fleet": "simulators.fleet.__main__",
    "soak": "simulators.soak",
    "replay": "simulators.replay",
    "shrink": "simulators.replay:shrink",
}


def main(argv: list[str]) -> int:
    """Hands over to the command's module."""
    if not argv or argv[0] not in _COMMANDS:
        print("usage: python -m simulators " + " | ".join(_COMMANDS), file=sys.stderr)
        return 2
    module, _, function = _COMMANDS[argv[0]].partition(":")
    return int(getattr(importlib.import_module(module), function or "main")(argv[1:]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
