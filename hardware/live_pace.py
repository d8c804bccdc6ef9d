"""Gives a stream's frames out when they are due, whatever lumps the network brings them in."""

from __future__ import annotations

import asyncio
from typing import Protocol

from hardware.interfaces import FRAME_MS


class ReadAhead(Protocol):
    """A source that holds frames ahead."""

    @property
    def held_frames(self) -> int:
        """What can be read at once."""
        ...

    @property
    def finished(self) -> bool:
        """Whether nothing more will come than is held."""
        ...

    async def gathered(self, frames: int) -> None:
        """Returns when so many are held or no more will come; raises MediaError when there is not one."""
        ...

    async def read(self) -> bytes | None:
        """See `hardware.interfaces.SoundSource`."""
        ...

    async def close(self) -> None:
        """See `hardware.interfaces.SoundSource`."""
        ...


class LivePace:
    """A stream's frames, each when it is due: a network brings them in lumps.

    So much is gathered first that a source's end is seen before it is heard.
    """

    def __init__(self, source: ReadAhead, *, gather_frames: int) -> None:
        self._source = source
        self._gather_frames = gather_frames
        self._due: float | None = None

    async def prime(self) -> None:
        """Gathers. Raises MediaError when nothing comes."""
        await self._source.gathered(self._gather_frames)

    @property
    def source(self) -> ReadAhead:
        """What it paces."""
        return self._source

    async def read(self) -> bytes | None:
        """See `hardware.interfaces.SoundSource`."""
        loop = asyncio.get_running_loop()
        if not self._source.held_frames and not self._source.finished:
            self._due = None  # it ran dry: what comes is not hurried to catch up
        if self._due is not None:
            await asyncio.sleep(self._due - loop.time())
        frame = await self._source.read()
        last = loop.time() if self._due is None else self._due
        # A reader that paused goes on from now, instead of getting the pause's frames all at once.
        self._due = max(last, loop.time() - FRAME_MS / 1000) + FRAME_MS / 1000
        return frame

    async def close(self) -> None:
        """See `hardware.interfaces.SoundSource`."""
        await self._source.close()
