"""The terminal of the workshop: bounded lines come in, and only letters that it can show go out."""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TextIO, cast

from hardware.workshop.letters import glyphs, printable, writing

_LINE_CHARS_MAX: Final = 80
_REST_CHARS_MAX: Final = 65_536
_COLUMNS: Final = "80"
_BAUD: Final = termios.B115200


class HungUpError(Exception):
    """Nobody is at the terminal any more."""


class Terminal:
    """Talks with whoever sits there.

    Args:
        on_line: is called for each line that was typed, whatever is in it.
    """

    def __init__(
        self,
        answers: TextIO,
        told: TextIO,
        *,
        write: Callable[[str], str] = str,
        on_line: Callable[[], None] = lambda: None,
    ) -> None:
        self._answers, self._told = answers, told
        self._write, self._on_line = write, on_line

    def say(self, text: str = "") -> None:
        """Shows some lines."""
        print(self._write(text), file=self._told, flush=True)

    def ask(self, question: str) -> str:
        """What was typed; empty as well for a line that is far too long. Raises HungUpError, KeyboardInterrupt."""
        print(self._write(f"{question} "), end="", file=self._told, flush=True)
        line = self._answers.readline(_LINE_CHARS_MAX)
        if not line:
            raise HungUpError
        self._on_line()
        if not line.endswith("\n") and len(line) == _LINE_CHARS_MAX:
            self._skip_rest()
            return ""
        return printable(line).strip()

    def _skip_rest(self) -> None:
        left = _REST_CHARS_MAX
        while left > 0:
            rest = self._answers.readline(1024)
            left -= len(rest)
            if not rest or rest.endswith("\n"):
                return
        raise HungUpError


class _Written:
    """A text stream whose words are rewritten on their way."""

    def __init__(self, told: TextIO, write: Callable[[str], str]) -> None:
        self._told, self._write = told, write

    def write(self, text: str) -> int:
        """As the stream does."""
        self._told.write(self._write(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._told, name)


def rewritten(told: TextIO, write: Callable[[str], str]) -> TextIO:
    """For a program that prints by itself."""
    return cast(TextIO, _Written(told, write))


def own_writing() -> Callable[[str], str]:
    """How to write on the terminal that is this program's output."""
    try:
        return writing(glyphs(sys.stdout.fileno()))
    except (OSError, ValueError):
        return str


def prepare(descriptor: int) -> None:
    """A serial line gets the speed that everybody expects, and 80 columns, of which the line itself knows nothing."""
    try:
        name = os.ttyname(descriptor)
        columns = os.get_terminal_size(descriptor).columns
    except OSError:
        return
    if columns == 0:
        os.environ.setdefault("COLUMNS", _COLUMNS)
    if not name.startswith(("/dev/ttyAMA", "/dev/ttyS", "/dev/ttyUSB")):
        return
    with suppress(termios.error):
        settings = termios.tcgetattr(descriptor)
        settings[4] = settings[5] = _BAUD
        termios.tcsetattr(descriptor, termios.TCSANOW, settings)
