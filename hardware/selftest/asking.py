"""The technician at the terminal: is told what happens, and asked what only eyes, ears and hands can answer."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Final, TextIO

from hardware.i18n import gettext as _

_YES: Final = ("y", "yes", "c", "co", "có", "d", "đ", "dong y", "đồng ý")
_LINE_CHARS_MAX: Final = 200


def means_yes(line: str) -> bool:
    """Whether what was typed is a yes, in either language, with marks or without."""
    return line.strip().lower() in _YES


class Technician:
    """Talks with whoever sits there; with nobody there every question is answered by None at once.

    Args:
        present: somebody answers; without, nothing is asked.
    """

    def __init__(self, *, present: bool, told: TextIO, answers: TextIO | None = None) -> None:
        self.present = present
        self._told, self._answers = told, answers
        self._lines: asyncio.Queue[str | None] | None = None

    def say(self, sentence: str) -> None:
        """Shows one line."""
        print(f"    {sentence}", file=self._told, flush=True)

    async def confirm(self, question: str, *, within_s: float = 60.0) -> bool | None:
        """Yes or no; None when nobody is there or nobody answers in time."""
        if not self.present:
            return None
        print(f"  ? {question} {_('[y/N]')} ", end="", file=self._told, flush=True)
        try:
            line = await asyncio.wait_for(self.line(), within_s)
        except TimeoutError:
            print(file=self._told)
            return None
        return None if line is None else means_yes(line)

    async def line(self) -> str | None:
        """The next line that is typed; None at the end of the input."""
        if self._lines is None:
            self._lines = asyncio.Queue()
            # A daemon: a thread that waits for a key that is never pressed must not keep the process.
            reader = threading.Thread(target=self._read, args=(asyncio.get_running_loop(), self._lines), daemon=True)
            reader.start()
        return await self._lines.get()

    def _read(self, loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str | None]) -> None:
        source = self._answers or sys.stdin
        ended = False
        while not ended:
            line = source.readline(_LINE_CHARS_MAX)
            ended = not line
            try:
                loop.call_soon_threadsafe(lines.put_nowait, line or None)
            except RuntimeError:  # the loop has ended before the line came
                return
