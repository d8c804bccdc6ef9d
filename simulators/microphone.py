"""The microphone at the device: a person in front of a browser, a built-in recording, or a quiet room."""

from __future__ import annotations

from collections import deque
from typing import Final

from edge.ports import FRAME_BYTES, CardLostError, SoundSource
from simulators.loop_clock import LoopClock
from simulators.pace import Pace

_HELD_MAX: Final = 25
_GATHERED: Final = 3
"""Frames from a browser come in bursts; so many are held before they are played."""


class SimMicrophone:
    """Implements `edge.ports.Microphone`.

    Attributes:
        recording: samples that are heard from each opening on; empty for a quiet room.
        broken: it is not there.
    """

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self._voice: deque[bytes] = deque(maxlen=_HELD_MAX)
        self._flowing = False
        self.recording = b""
        self.broken = False

    def hear(self, frame: bytes) -> None:
        """A frame of a person's voice; the oldest is lost when nobody listens."""
        assert len(frame) == FRAME_BYTES
        self._voice.append(frame)

    async def open(self) -> SoundSource:
        """See `edge.ports.Microphone`."""
        self.check()
        self._voice.clear()
        return _MicrophoneSource(self, Pace(self._clock))

    def check(self) -> None:
        """Raises CardLostError when it is broken."""
        if self.broken:
            raise CardLostError("the simulated microphone is unplugged")

    def take(self) -> bytes | None:
        """The voice's next frame, None while nobody speaks into it."""
        self._flowing = len(self._voice) >= (1 if self._flowing else _GATHERED)
        return self._voice.popleft() if self._flowing else None


class _MicrophoneSource:
    def __init__(self, microphone: SimMicrophone, pace: Pace) -> None:
        self._microphone = microphone
        self._pace = pace
        self._at = 0

    async def read(self) -> bytes | None:
        """See `edge.ports.SoundSource`."""
        await self._pace.next_ms()
        self._microphone.check()
        recorded = self._microphone.recording[self._at : self._at + FRAME_BYTES]
        self._at += FRAME_BYTES
        return self._microphone.take() or recorded.ljust(FRAME_BYTES, b"\0")

    async def close(self) -> None:
        """See `edge.ports.SoundSource`."""
