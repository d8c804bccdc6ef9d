"""What a device is made of, at enrolment: `board.json` beside `device.json`, and the drivers that read it.

It is judged by the very reader that the device has, so nothing passes here that would stop the start at the pole.
That reader needs no driver and no library. The image of `hardware/image` names the same drivers where enrolment did
not.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from hardware.board_file import BoardError, BoardFile, read_board
from hardware.i18n import CATALOGUE as HARDWARE_WORDS
from hardware.i18n import worded
from provisioning.errors import ProvisioningError
from provisioning.i18n import CATALOGUE
from provisioning.i18n import gettext as _
from signer.disk import write_durably

BOARD_FILE: Final = "board.json"
DRIVERS: Final = {
    "board": "edge.adapters.board:make_board",
    "player": "hardware.vlc_player:make_player",
    "board_file": BOARD_FILE,
}


def read_board_part(path: Path) -> tuple[BoardFile, tuple[str, ...]]:
    """A board, and what is allowed in it and unwise.

    Raises:
        ProvisioningError: a device would not start with it; the message says what to write instead.
    """
    HARDWARE_WORDS.use(CATALOGUE.language())
    try:
        board = read_board(path)
    except BoardError as error:
        raise ProvisioningError(worded(error)) from error
    return board, tuple(worded(remark) for remark in board.remarks())


def fit_board(device_file: Path, board: Path) -> tuple[str, ...]:
    """Copies a board's description beside a device file and names it there; gives what is unwise in it.

    Raises:
        ProvisioningError: the board cannot be used, or one of the files cannot be read or written.
    """
    _board, remarks = read_board_part(board)
    try:
        known = json.loads(device_file.read_bytes())
        write_durably(device_file.with_name(BOARD_FILE), board.read_bytes())
        write_durably(device_file, json.dumps(known | DRIVERS, ensure_ascii=False, indent=1).encode())
    except (OSError, ValueError, TypeError) as error:
        words = _("%(path)s cannot be written: %(why)s")
        raise ProvisioningError(words % {"path": device_file, "why": error}) from error
    return remarks
