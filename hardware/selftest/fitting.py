"""Opens the parts that a board's description names, each for itself: one that is dead does not hide the others."""

from __future__ import annotations

from hardware.board_file import BoardFile
from hardware.selftest.parts import Parts


def make_parts(board: BoardFile) -> Parts:
    """The parts of this board."""
    return Parts(variant=board.variant)
