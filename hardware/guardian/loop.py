"""Starts the guardian and keeps it going.

One loop, a turn every 10 ms; the watchdog of 5 s is fed here and nowhere else. A fault nobody foresaw drops the
relays first, then leaves a note and resets.
"""

import gc
import sys

from hardware.guardian.control import Control
from hardware.guardian.flash import Flash
from hardware.guardian.pico import Pico
from hardware.guardian.resets import announce

FOLDER = "/"
TURN_MS = 10
COLLECT_TURNS = 50


def run(board: Pico, flash: Flash) -> None:
    """Goes round for ever."""
    control = Control(
        board, flash, bus=board.bus, chip=board.chip, by_watchdog=board.by_watchdog, now_ms=board.now_ms()
    )
    turns = 0
    while True:
        control.turn(board.now_ms())
        board.feed()
        turns += 1
        if turns % COLLECT_TURNS == 0:
            gc.collect()
        board.sleep_ms(TURN_MS)


def main() -> None:
    """Runs, and starts anew after what nobody foresaw."""
    board = Pico()
    flash = Flash(FOLDER)
    try:
        run(board, flash)
    except Exception as error:  # whatever it is, silence comes first
        board.rest()
        announce(flash)
        sys.print_exception(error)  # type: ignore[attr-defined]
        board.reset()
