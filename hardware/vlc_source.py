"""Sound from libVLC's child, held a little ahead; a child that is lost is replaced while what is held sounds."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from hardware.errors import MediaError
from hardware.interfaces import FRAME_BYTES
from hardware.vlc_process import VlcLostError, VlcProcess

_LOST_MAX: Final = 3

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a child may be quiet while we wait for it.

    Attributes:
        first_s: until its first sample.
        later_s: between two of them. With `ahead_frames` of sound in hand a listener does not hear the replacement.
    """

    first_s: float
    later_s: float
    ahead_frames: int


class VlcSource:
    """Frames of a child's samples, read ahead.

    Args:
        name: for the log.
        job: what a child is asked for when so many samples were already given.
    """

    def __init__(self, name: str, job: Callable[[int], Mapping[str, object]], patience: Patience) -> None:
        self._name, self._job, self._patience = name, job, patience
        self._frames: deque[bytes] = deque()
        self._held = bytearray()
        self._given_bytes = 0
        self._finished = False
        self._failure: MediaError | None = None
        self._news, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self.process: VlcProcess | None = None
        self._task = asyncio.create_task(self._fill(), name=f"libVLC plays {name}")

    @property
    def held_frames(self) -> int:
        """What can be read at once."""
        return len(self._frames)

    @property
    def finished(self) -> bool:
        """Whether nothing more will come than is held."""
        return self._finished

    async def gathered(self, frames: int) -> None:
        """Returns when so many are held or no more will come.

        Raises:
            MediaError: there is not a single one.
        """
        while len(self._frames) < frames and not self._finished:
            self._news.clear()
            await self._news.wait()
        if not self._frames:
            raise self._failure or MediaError("nothing is left at this offset")

    async def read(self) -> bytes | None:
        """See `hardware.interfaces.SoundSource`."""
        while not self._frames and not self._finished:
            self._news.clear()
            await self._news.wait()
        if not self._frames:
            if self._failure is not None:
                raise self._failure
            return None
        frame = self._frames.popleft()
        if len(self._frames) < self._patience.ahead_frames:
            self._room.set()
        return frame

    async def close(self) -> None:
        """See `hardware.interfaces.SoundSource`."""
        self._task.cancel()
        await asyncio.wait([self._task])
        self._finished = True
        self._frames.clear()

    async def _fill(self) -> None:
        try:
            await self._play()
        except MediaError as error:
            self._failure = error
        except Exception as error:
            _log.exception("the player is at fault")
            self._failure = MediaError(str(error))
        finally:
            self._finished = True
            self._news.set()

    async def _play(self) -> None:
        losses = 0
        while True:
            given = self._given_bytes
            try:
                await self._play_with_one_child()
                break
            except VlcLostError as error:
                losses = losses + 1 if self._given_bytes == given else 1
                if losses >= _LOST_MAX:
                    raise MediaError(f"libVLC was lost {losses} times at the same place") from error
                place_ms = self._given_bytes // 96
                _log.warning("libVLC was lost %d ms into %s, another goes on: %s", place_ms, self._name, error)
        if self._held:
            self._frames.append(bytes(self._held).ljust(FRAME_BYTES, b"\0"))

    async def _play_with_one_child(self) -> None:
        self._given_bytes -= self._given_bytes % 2
        del self._held[self._given_bytes % FRAME_BYTES :]
        process = self.process = await VlcProcess.start(self._job(self._given_bytes // 2))
        limit_s = self._patience.first_s
        try:
            while sound := await process.read(limit_s):
                limit_s = self._patience.later_s
                self._keep(sound)
                await self._room.wait()
        finally:
            self.process = None
            await asyncio.shield(process.end())

    def _keep(self, sound: bytes) -> None:
        self._given_bytes += len(sound)
        self._held += sound
        whole = len(self._held) - len(self._held) % FRAME_BYTES
        for at in range(0, whole, FRAME_BYTES):
            self._frames.append(bytes(self._held[at : at + FRAME_BYTES]))
        del self._held[:whole]
        self._news.set()
        if len(self._frames) >= self._patience.ahead_frames:
            self._room.clear()
