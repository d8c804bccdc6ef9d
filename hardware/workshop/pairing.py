"""Pairing the guardian at the box: the key is made here, kept by root beside `board.json`, then handed over."""

from __future__ import annotations

import asyncio
import os
from os.path import realpath
from pathlib import Path
from typing import Final

from hardware.errors import BoardError
from hardware.guardian import wire
from hardware.guardian_pair import key_of, pair_by_hand, verdict
from hardware.i18n import N_
from hardware.i18n import gettext as _
from hardware.workshop.errand import Errands
from hardware.workshop.place import Place
from hardware.workshop.terminal import Terminal

KEY_FILE: Final = "guardian.key"


def pair_guardian(terminal: Terminal, place: Place, errands: Errands) -> None:
    """Asks for the jumper and waits a minute. Raises PortError, OSError."""
    part = place.board().guardian
    if part is None:
        terminal.say(_("board.json names no guardian: there is nothing to pair with."))
        return
    path = Path(part.key_file)
    if path != place.etc / KEY_FILE:
        raise BoardError(N_("in board.json leave guardian.key_file out, or write guardian.key"))

    def key() -> bytes:
        try:
            if path.exists():
                return key_of(path)
        except BoardError:  # rubbish: root replaces it
            pass
        made = os.urandom(wire.KEY_BYTES)
        errands.keep_key(made)
        terminal.say(_("A new key was made and is kept on this card."))
        return made

    with place.alone():
        paired = asyncio.run(pair_by_hand(part.port, key, terminal.say))
    terminal.say(verdict(paired=paired))


def is_guardians_line(place: Place, terminal_name: str) -> bool:
    """Whether this terminal is the guardian's line, where a menu would talk to the guardian."""
    try:
        part = place.board().guardian
    except BoardError:
        return False
    return part is not None and realpath(part.port) == realpath(terminal_name)
