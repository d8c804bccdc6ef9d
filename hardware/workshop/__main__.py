"""`python -m hardware.workshop`: the workshop's menu on the terminal that is its standard input and output.

    --etc, --run, --errands    where identity, notes and the helper's socket are; as on a card if not told

Exit code 0 when it was left, 1 when nobody is at the terminal any more, 3 on the guardian's own line.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hardware.i18n import CATALOGUE, LANGUAGES
from hardware.workshop.errand import Errands
from hardware.workshop.menu import Menu, Tools
from hardware.workshop.pairing import is_guardians_line
from hardware.workshop.place import Place
from hardware.workshop.terminal import HungUpError, Terminal, own_writing, prepare

GUARDIANS_LINE: Final = 3


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    usual = Place()
    parser = argparse.ArgumentParser("python -m hardware.workshop")
    parser.add_argument("--etc", type=Path, default=usual.etc)
    parser.add_argument("--run", type=Path, default=usual.run)
    parser.add_argument("--errands", type=Path, default=usual.errands)
    parser.add_argument("--lang", choices=LANGUAGES, default=os.environ.get("LOALANG_LANG", LANGUAGES[0]))
    given = parser.parse_args(arguments)
    CATALOGUE.use(given.lang)
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    place = Place(given.etc, given.run, given.errands)
    if is_guardians_line(place, _terminal_name()):
        return GUARDIANS_LINE
    return _serve(place)


def _serve(place: Place) -> int:
    # There is no shell to which Ctrl-\ or Ctrl-Z could lead; they are not even to end or stop the menu.
    for one in (signal.SIGQUIT, signal.SIGTSTP):
        signal.signal(one, signal.SIG_IGN)
    prepare(sys.stdin.fileno())
    sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    terminal = Terminal(sys.stdin, sys.stdout, write=own_writing(), on_line=place.touch)
    try:
        Menu(terminal, place, Tools(Errands(place.errands))).serve()
    except (HungUpError, OSError):
        return 1
    return 0


def _terminal_name() -> str:
    try:
        return os.ttyname(sys.stdin.fileno())
    except (OSError, ValueError):
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
