"""Somebody at the serial line of the emulated computer: reads what comes, types, waits for words."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from simulators.emulation.computer import Computer, ComputerError

_LOOK_S: Final = 0.2
_TAIL_CHARS: Final = 600


class Console:
    """Reads on from where it last was; whoever boots it again goes on reading."""

    def __init__(self, computer: Computer) -> None:
        self._computer = computer
        self._read_bytes = 0
        self._ahead = ""

    def type(self, keys: str) -> None:
        """Presses keys; Enter is a carriage return."""
        self._computer.type(keys.replace("\n", "\r"))

    async def until(self, words: str, *, within_s: float) -> str:
        """What was shown up to these words, which are then past. Raises ComputerError."""
        ends = time.monotonic() + within_s
        while words not in self._ahead:
            if time.monotonic() > ends:
                raise ComputerError(f"no {words!r} on the console, but: {self._ahead[-_TAIL_CHARS:]}")
            await asyncio.sleep(_LOOK_S)
            self._ahead += await asyncio.to_thread(self._more)
        shown, _, self._ahead = self._ahead.partition(words)
        return shown

    def _more(self) -> str:
        with self._computer.console.open("rb") as file:
            file.seek(self._read_bytes)
            data = file.read()
        self._read_bytes += len(data)
        return data.decode(errors="replace").replace("\r", "")
