"""A sound card with its own 20 ms clock, that hands every frame to the horn with the instant at which it is heard.

Its time is arithmetic, not a task: a frame sounds when the frames before it have sounded. A writer that comes too
late leaves a gap, as on a real card.
"""

from __future__ import annotations

import asyncio
from typing import Final

from edge.ports import FRAME_BYTES, FRAME_MS, CardLostError
from simulators.horn import SAMPLES_PER_MS, SimHorn
from simulators.loop_clock import LoopClock

_START_MS: Final = 40
_DEPTH_MS: Final = 10 * FRAME_MS
"""What a device on a busy machine needs: a village simulates dozens of agents in one process."""


class SimSoundCard:
    """Implements `edge.ports.SoundCard`.

    Attributes:
        underruns: how often the writer came too late.
        frames_written: frames taken so far.
        error_ppm: how much slower than it should its crystal runs.
        stands_ms: how long it stands still at the next frame, without a word.
    """

    def __init__(self, clock: LoopClock, horn: SimHorn) -> None:
        self._clock = clock
        self._horn = horn
        self._next_ms: float | None = None
        self._lost = False
        self.underruns = 0
        self.frames_written = 0
        self.error_ppm = 0.0
        self.stands_ms = 0

    def unplug(self) -> None:
        """The card is gone; what it held is not heard."""
        self._lost = True
        self._next_ms = None
        self._horn.cut()

    def plug(self) -> None:
        """The card is there again."""
        self._lost = False

    def delay_ms(self) -> float:
        """See `edge.ports.SoundCard`."""
        ahead = self._ahead_ms()
        return _START_MS if ahead is None else ahead

    async def write(self, frame: bytes) -> None:
        """See `edge.ports.SoundCard`."""
        assert len(frame) == FRAME_BYTES
        self._check()
        stands_ms, self.stands_ms = self.stands_ms, 0
        await asyncio.sleep(stands_ms / 1000)
        starts = self._start_ms()
        self._horn.receive(starts, frame)
        self._next_ms = starts + FRAME_MS * (1 + self.error_ppm / 1_000_000)
        self.frames_written += 1
        await self._wait_for_room()
        self._check()

    async def drain(self) -> None:
        """See `edge.ports.SoundCard`."""
        while (ahead := self._ahead_ms()) is not None:
            await asyncio.sleep(ahead / 1000)
            if ahead == 0:
                break
        self._next_ms = None

    def _ahead_ms(self) -> float | None:
        """How much is still to be heard; None when the card stands still."""
        if self._next_ms is None:
            return None
        ahead = self._next_ms - self._clock.exact_mono_ms()
        return ahead if ahead > 0 else None

    def _start_ms(self) -> float:
        if self._next_ms is not None and self._ahead_ms() is not None:
            return self._next_ms
        if self._next_ms is not None:
            self.underruns += 1
        # On a whole sample, so frames follow one another without a seam.
        return round((self._clock.exact_mono_ms() + _START_MS) * SAMPLES_PER_MS) / SAMPLES_PER_MS

    async def _wait_for_room(self) -> None:
        ahead = self._ahead_ms() or 0.0
        await asyncio.sleep(max(0.0, ahead + FRAME_MS - _DEPTH_MS) / 1000)

    def _check(self) -> None:
        if self._lost:
            raise CardLostError("the simulated card is unplugged")
