"""`python -m hardware.workshop.selftest`: the self-test, in letters that this terminal can show."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hardware.selftest.__main__ import main as try_all
from hardware.workshop.terminal import own_writing, rewritten


def main(arguments: Sequence[str]) -> int:
    """As the self-test's own."""
    write = own_writing()
    sys.stdout, sys.stderr = rewritten(sys.stdout, write), rewritten(sys.stderr, write)
    return try_all(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
