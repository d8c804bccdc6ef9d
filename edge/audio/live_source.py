"""A live session's sound between the network and the bus: a jitter buffer of at most two seconds.

Playing begins when 1.8 seconds are gathered, or would be if segments came evenly: a segment may be a whole second,
and the next one be late. What is more than two seconds old is dropped, so a speaker is never heard later than that.
When nothing has come for a second and little is left the source is failing, and what follows is got ready meanwhile;
when nothing has come for two seconds and all is played, it has stalled.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from edge.audio.feed import AHEAD_FRAMES, Feed
from edge.ports import FRAME_MS, SAMPLE_RATE, SILENT_FRAME, Clock, MediaError, PacketDecoder
from protocol.clock import MonoMs

GATHER_MS: Final = 1800
QUIET_MS: Final = 1000
RESERVE_MS: Final = 500
"""What follows must be ready within this: a programme opens in 50 to 300 ms on a small board."""
STALL_MS: Final = 2000
_PACKETS_MAX: Final = STALL_MS // FRAME_MS

_log = logging.getLogger(__name__)


class LiveBuffer:
    """Packets of one session, in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._packets: deque[bytes] = deque(maxlen=_PACKETS_MAX)
        self._last_counter = -1
        self._came = asyncio.Event()
        self._playing = False
        self.gathered_at: MonoMs | None = None
        self._last_at = clock.now().mono

    def begin(self) -> None:
        """Somebody listens from now on: what a session said long ago is forgotten."""
        now = self._clock.now().mono
        if now - self._last_at >= STALL_MS:
            self._packets.clear()
        self._last_at = now
        self.gathered_at = self._gathered_at() if self._packets else None
        self._playing = False

    def play(self) -> None:
        """Enough is gathered: from now on the feed in front of the bus holds a part of the two seconds."""
        self._playing = True

    def feed(self, counter: int, packets: tuple[bytes, ...]) -> None:
        """Appends a segment; one that is late or a repeat is left out."""
        if counter <= self._last_counter:
            return
        self._last_counter = counter
        self._packets.extend(packets)
        while self._playing and len(self._packets) > _PACKETS_MAX - AHEAD_FRAMES:
            self._packets.popleft()
        self._last_at = self._clock.now().mono
        self.gathered_at = self._gathered_at() if self.gathered_at is None else self.gathered_at
        self._came.set()

    def _gathered_at(self) -> MonoMs:
        """When so much will have come, at the pace of speech, as the first packets do not hold."""
        return MonoMs(self._last_at + GATHER_MS - self.held_ms)

    @property
    def held_ms(self) -> int:
        """Sound that waits to be played."""
        return len(self._packets) * FRAME_MS

    def is_failing(self, ahead_ms: float) -> bool:
        """Whether nothing has come for a second and little is left.

        Args:
            ahead_ms: decoded sound that has been taken from here and not been heard.
        """
        quiet_ms = self._clock.now().mono - self._last_at
        return quiet_ms >= QUIET_MS and self.held_ms + ahead_ms <= RESERVE_MS

    async def packet(self) -> bytes:
        """The next packet, waited for.

        Raises:
            MediaError: nothing came for STALL_MS.
        """
        while not self._packets:
            await self.wait(until=MonoMs(self._last_at + STALL_MS))
        return self._packets.popleft()

    async def wait(self, *, until: MonoMs) -> None:
        """Returns when more has come, or raises MediaError when the time is over."""
        self._came.clear()
        left_ms = until - self._clock.now().mono
        try:
            async with asyncio.timeout(left_ms / 1000):  # wait_for of Python 3.11 may swallow a cancel
                await self._came.wait()
        except TimeoutError:
            raise MediaError("the live session has stalled") from None


class LiveFeed(Feed):
    """The feed of a session, which knows what its buffer still holds."""

    def __init__(self, buffer: LiveBuffer, decoder: PacketDecoder, clock: Clock) -> None:
        self._buffer = buffer
        super().__init__(LiveSource(buffer, decoder, clock), endless=True)

    @property
    def failing(self) -> bool:
        """It has stalled, or is about to."""
        return super().failing or self._buffer.is_failing(self.held_samples * 1000 / SAMPLE_RATE)


class LiveSource:
    """Frames of a session from its buffer."""

    def __init__(self, buffer: LiveBuffer, decoder: PacketDecoder, clock: Clock) -> None:
        self._buffer = buffer
        self._decoder = decoder
        self._clock = clock
        self._gathered = False

    async def read(self) -> bytes | None:
        """One frame; a packet that cannot be decoded costs its 20 ms. Raises MediaError when the session stalls."""
        if not self._gathered:
            self._buffer.begin()
            await self._gather()
        packet = await self._buffer.packet()
        try:
            return self._decoder.decode(packet)
        except MediaError as error:
            _log.debug("a live packet is left out: %s", error)
            return SILENT_FRAME

    async def close(self) -> None:
        """Nothing is held."""

    async def _gather(self) -> None:
        while self._buffer.held_ms < GATHER_MS:
            if self._buffer.gathered_at is None:
                await self._buffer.wait(until=MonoMs(self._clock.now().mono + STALL_MS))
                continue
            try:
                await self._buffer.wait(until=self._buffer.gathered_at)
            except MediaError:
                break
        self._gathered = True
        self._buffer.play()
