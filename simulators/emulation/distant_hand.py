"""Our end of the hand inside the emulated computer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from simulators.emulation.frames import read_frame, write_frame

_ANSWER_S_MAX: Final = 130.0


class DistantHand:
    """Runs commands inside, as root, one at a time; waits while the computer is off."""

    def __init__(self) -> None:
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._there = asyncio.Event()
        self._one = asyncio.Lock()

    async def open(self) -> int:
        """Listens on 127.0.0.1; gives the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Lets go."""
        self._server.close()
        self._drop()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._drop()
        self._line = reader, writer
        self._there.set()

    def _drop(self) -> None:
        if self._line is not None:
            self._line[1].transport.abort()
        self._line = None
        self._there.clear()

    async def run(self, command: str) -> tuple[int, str]:
        """Exit code and output of a shell command; asked again of the next boot when the line breaks."""
        async with self._one:
            while True:
                await self._there.wait()
                line = self._line
                assert line is not None, "it is there"
                with suppress(OSError, EOFError):
                    write_frame(line[1], command)
                    async with asyncio.timeout(_ANSWER_S_MAX):
                        code, output = await read_frame(line[0])
                    return int(code), str(output)
                if self._line is line:
                    self._drop()
