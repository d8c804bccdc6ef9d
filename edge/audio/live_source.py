"""A live session's sound between the network and the bus: a jitter buffer of at most two seconds.

Playing begins when a second is gathered, or a second after the first packet. What is more than two seconds old is
dropped, so a speaker is never heard later than that. When nothing has come for two seconds and all is played, the
source fails as stalled, and the ladder goes on.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from edge.audio.feed import AHEAD_FRAMES
from edge.ports import FRAME_MS, SILENT_FRAME, Clock, MediaError, PacketDecoder
from protocol.clock import MonoMs

GATHER_MS: Final = 1000
STALL_MS: Final = 2000
_PACKETS_MAX: Final = STALL_MS // FRAME_MS - AHEAD_FRAMES
"""The feed in front of the bus holds the rest of the two seconds."""

_log = logging.getLogger(__name__)


class LiveBuffer:
    """Packets of one session, in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._packets: deque[bytes] = deque(maxlen=_PACKETS_MAX)
        self._last_counter = -1
        self._came = asyncio.Event()
        self.first_at: MonoMs | None = None
        self._last_at = clock.now().mono

    def begin(self) -> None:
        """Somebody listens from now on: what a session said long ago is forgotten."""
        now = self._clock.now().mono
        if now - self._last_at >= STALL_MS:
            self._packets.clear()
        self.first_at = now if self._packets else None
        self._last_at = now

    def feed(self, counter: int, packets: tuple[bytes, ...]) -> None:
        """Appends a segment; one that is late or a repeat is left out."""
        if counter <= self._last_counter:
            return
        self._last_counter = counter
        self._packets.extend(packets)
        self._last_at = self._clock.now().mono
        self.first_at = self._last_at if self.first_at is None else self.first_at
        self._came.set()

    @property
    def held_ms(self) -> int:
        """Sound that waits to be played."""
        return len(self._packets) * FRAME_MS

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
            if self._buffer.first_at is None:
                await self._buffer.wait(until=MonoMs(self._clock.now().mono + STALL_MS))
                continue
            try:
                await self._buffer.wait(until=MonoMs(self._buffer.first_at + GATHER_MS))
            except MediaError:
                break
        self._gathered = True
