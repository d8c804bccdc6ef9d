"""What needs root in the workshop, each through one line to a program of ten lines: image/workshop/errand.

Nothing else of the workshop has any right. The line is a socket on which systemd starts that program.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Final

from hardware.errors import BoardError
from hardware.i18n import N_, Phrase

CONTENT_BYTES_MAX: Final = 256 * 1024
_ANSWER_BYTES_MAX: Final = 200
_ANSWER_S_MAX: Final = 60.0
_NAME: Final = re.compile(r"[a-z0-9-]{1,60}")
_REFUSALS: Final = {
    "read-only": N_("it cannot be written; perhaps the card is worn out"),
    "full": N_("there is no room"),
    "there": N_("there is a key already"),
    "not-lasting": N_("this card has no partition for it: it would be lost with the power"),
    "malformed": N_("what was to be kept is not what it should be"),
}


class Errands:
    """Asks for them. Raises BoardError when one fails, whatever the reason.

    Args:
        address: of the socket.
    """

    def __init__(self, address: Path) -> None:
        self._address = address

    def keep_key(self, key: bytes) -> None:
        """Stores the key that this computer shares with its guardian, lastingly."""
        self._done("key guardian", key.hex().encode() + b"\n")

    def save_report(self, name: str, report: bytes) -> tuple[str, str]:
        """Where to (`stick` or `card`) and under what name."""
        if not _NAME.fullmatch(name) or len(report) > CONTENT_BYTES_MAX:
            raise BoardError(_REFUSALS["malformed"])
        where, _, file = self._done(f"report {name}", report).partition(" ")
        return where, file

    def leave(self) -> None:
        """Starts the computer anew."""
        self._done("leave now")

    def _done(self, line: str, content: bytes = b"") -> str:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as root:
                root.settimeout(_ANSWER_S_MAX)
                root.connect(str(self._address))
                root.sendall(line.encode() + b"\n" + content)
                root.shutdown(socket.SHUT_WR)
                answer = _answer(root)
        except OSError as error:
            words = N_("the helper that may write does not answer: %(why)s")
            raise BoardError(words, why=error.strerror or type(error).__name__) from error
        verdict, _, rest = answer.partition(" ")
        if verdict != "ok":
            raise BoardError("%(why)s", why=Phrase(_REFUSALS.get(rest, N_("it did not work"))))
        return rest


def _answer(root: socket.socket) -> str:
    told = b""
    while len(told) < _ANSWER_BYTES_MAX and b"\n" not in told:
        more = root.recv(_ANSWER_BYTES_MAX)
        if not more:
            break
        told += more
    return told.decode("ascii", errors="replace").partition("\n")[0].strip()
