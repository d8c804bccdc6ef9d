"""`python -m simulators.bench NAME ...` measures one figure; without a name it lists them."""

from __future__ import annotations

import importlib
import sys

from simulators.bench import FIGURES


def main(argv: list[str]) -> int:
    """Hands over to the figure's module."""
    if not argv or argv[0] not in FIGURES:
        print("Figures: " + ", ".join(sorted(FIGURES)), file=sys.stderr)
        return 2
    module = importlib.import_module(FIGURES[argv[0]])
    return int(module.main(argv[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
