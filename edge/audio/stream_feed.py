"""Three seconds between a network and the bus, so that what breaks off is replaced before anybody misses it.

Trouble is noticed by what was taken, not by a clock: a second of sound went out and nothing came in. Two seconds are
left then, for whatever follows to be opened. Before it sounds a stream is kept young, so the hour's signal is heard
on the hour; once it sounds nothing is thrown away, and what is too much waits in the network.
"""

from __future__ import annotations

from typing import Final

from edge.audio.feed import Feed
from edge.ports import FRAME_MS, SAMPLE_RATE, MediaError, SoundSource

HELD_MS: Final = 3000
STALL_MS: Final = 1000
_HELD_FRAMES: Final = HELD_MS // FRAME_MS
_FRAMES_MAX: Final = 250
"""A station sends a burst first, and its clock may be faster than ours: five seconds, half a megabyte."""
_STALL_SAMPLES: Final = STALL_MS * SAMPLE_RATE // 1000


class StreamFeed(Feed):
    """A feed of a web radio; ready when three seconds are held."""

    def __init__(self, source: SoundSource) -> None:
        self._begun = False
        self._samples_since = 0
        super().__init__(source, endless=True)

    @property
    def failing(self) -> bool:
        """It has ended, or has given nothing for a second."""
        return super().failing or self._samples_since >= _STALL_SAMPLES

    def take(self, samples: int) -> bytes:
        """As a feed; one that is empty and still gives nothing has failed."""
        self._begun = True
        self._samples_since += samples
        taken = super().take(samples)
        if self.failing and not self.held_samples and not self._finished:
            self.failure = MediaError("the stream has stalled")
            self._finished = True
        return taken

    async def _put(self, frame: bytes) -> None:
        self._samples_since = 0
        self._frames.append(frame)
        if len(self._frames) >= _HELD_FRAMES:
            self._ready.set()
        if len(self._frames) > _HELD_FRAMES and not self._begun:
            self._frames.popleft()
        if len(self._frames) >= _FRAMES_MAX:
            self._room.clear()
            await self._room.wait()

    def _make_room(self) -> None:
        if len(self._frames) < _FRAMES_MAX:
            self._room.set()
