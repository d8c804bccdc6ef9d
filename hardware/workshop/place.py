"""Where the workshop finds and leaves things, and that its two terminals do not work on the same parts at once."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from hardware.board_file import BoardFile, read_board
from hardware.errors import BoardError
from hardware.i18n import N_


@dataclass(frozen=True, slots=True)
class Place:
    """Folders and files.

    Attributes:
        etc: identity of the device: `device.json`, `board.json`, `guardian.key`.
        run: of this one opening of the workshop, in memory.
        errands: socket of whoever may write.
    """

    etc: Path = Path("/etc/loalang")
    run: Path = Path("/run/loalang-workshop")
    errands: Path = Path("/run/loalang-workshop-errand")

    @property
    def report(self) -> Path:
        """The findings of the last self-test."""
        return self.run / "selftest.json"

    def board(self) -> BoardFile:
        """What the box is made of; nothing where no file says so. Raises BoardError."""
        path = self.etc / "board.json"
        return read_board(path) if path.exists() else BoardFile()

    def touch(self) -> None:
        """Somebody is there: the workshop closes when this did not happen for half an hour (image/workshop/watch)."""
        with suppress(OSError):
            (self.run / "keys").write_text(f"{time.monotonic_ns()}\n", encoding="ascii")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """For a `with` around work on the parts. Raises BoardError when the other terminal is at it."""
        try:
            lock = (self.run / "busy").open("ab")
        except OSError as error:
            raise BoardError(N_("%(path)s cannot be read: %(why)s"), path=self.run, why=error.strerror) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise BoardError(N_("the other terminal is working on the parts; wait until it is done")) from error
            yield
