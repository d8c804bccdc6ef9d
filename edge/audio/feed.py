"""Reads a source ahead, so the sound card never waits for a disk, a decoder or a network.

The pump takes exactly the samples it needs and gets what is there. A late file is skipped forward when it comes back,
because what sounds belongs to the present wall-clock offset; a late microphone is not.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from edge.ports import FRAME_BYTES, FRAME_SAMPLES, MediaError, PortError, SoundSource

AHEAD_FRAMES: Final = 10
_PRIME_FRAMES: Final = 2

_log = logging.getLogger(__name__)


class Feed:
    """A bounded queue of samples in front of a source.

    Args:
        source: read by a task of the feed, and closed with it.
        keeps_time: samples that came too late are skipped, so the rest sounds when it should.
        paced: the source makes frames at its own pace: the oldest are dropped when nobody takes them, and after a
            gap a little is gathered first, or each frame would come a moment late.
        endless: the source has no end of its own, so an end is a failure.
        gather_frames: so many come before it is ready; more of them bridge more, and are heard later.
    """

    def __init__(
        self,
        source: SoundSource,
        *,
        keeps_time: bool = False,
        paced: bool = False,
        endless: bool = False,
        gather_frames: int = _PRIME_FRAMES,
    ) -> None:
        self._source = source
        self._keeps_time = keeps_time
        self._paced = paced
        self._endless = endless
        self._gather_frames = gather_frames
        self._ahead_frames = max(AHEAD_FRAMES, 2 * gather_frames)
        self._gathering = False
        self._frames: deque[bytes] = deque()
        self._head = b""
        self._to_skip = 0
        self._finished = False
        self._room = asyncio.Event()
        self._ready = asyncio.Event()
        self.failure: PortError | None = None
        self._task = asyncio.create_task(self._fill(), name="feed")

    async def primed(self) -> None:
        """Returns when the first frames are there, or the source has ended."""
        await self._ready.wait()

    @property
    def held_samples(self) -> int:
        """Samples that can be taken now."""
        return len(self._head) // 2 + len(self._frames) * FRAME_SAMPLES

    @property
    def left_samples(self) -> int | None:
        """Samples until the end, once the end is in sight."""
        return self.held_samples if self._finished else None

    @property
    def failing(self) -> bool:
        """Whether nothing more comes, although it should, while some of it may still be held."""
        return self._endless and self._finished

    @property
    def ended(self) -> bool:
        """Whether everything was taken and nothing more will come."""
        return self._finished and not self.held_samples

    def skip(self, samples: int) -> None:
        """Throws away so many of the next samples."""
        self._to_skip += samples
        self._drop()

    def take(self, samples: int) -> bytes:
        """The next samples; fewer when they are not there, which `ended` explains."""
        if self._gathering and not self._finished and len(self._frames) < self._gather_frames:
            return b""
        wanted = samples * 2
        while len(self._head) < wanted and self._frames:
            self._head += self._frames.popleft()
        taken, self._head = self._head[:wanted], self._head[wanted:]
        self._gathering = self._paced and len(taken) < wanted
        if self._keeps_time and not self._finished:
            self._to_skip += samples - len(taken) // 2
        self._make_room()
        return taken

    async def close(self) -> None:
        """Ends the reading and lets go of the source."""
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._source.close()

    async def _fill(self) -> None:
        try:
            while (frame := await self._source.read()) is not None:
                assert len(frame) == FRAME_BYTES
                await self._put(frame)
            if self._endless:
                raise MediaError("the source has ended")
        except PortError as error:
            _log.warning("a source broke off: %s", error)
            self.failure = error
        except Exception as error:
            _log.exception("a source is at fault")
            self.failure = PortError(str(error))
        finally:
            self._finished = True
            self._ready.set()

    async def _put(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._drop()
        if len(self._frames) >= self._gather_frames:
            self._ready.set()
        if len(self._frames) < self._ahead_frames:
            return
        if self._paced:
            self._frames.popleft()
            return
        self._room.clear()
        await self._room.wait()

    def _drop(self) -> None:
        while self._to_skip and (self._head or self._frames):
            if not self._head:
                self._head = self._frames.popleft()
            dropped = min(self._to_skip, len(self._head) // 2)
            self._head = self._head[dropped * 2 :]
            self._to_skip -= dropped
        self._make_room()

    def _make_room(self) -> None:
        if len(self._frames) <= self._ahead_frames // 2:
            self._room.set()
