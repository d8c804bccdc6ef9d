"""Frames at the pace of a device that makes them: one every 20 ms, whether anybody reads or not.

As a real input does, it keeps a little for a reader that is late, and then loses what is oldest.
"""

from __future__ import annotations

import asyncio
from typing import Final

from edge.ports import FRAME_MS
from simulators.loop_clock import LoopClock

_KEPT_MS: Final = 200


class Pace:
    """The moments at which frames are complete."""

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self._next_ms = clock.exact_mono_ms() + FRAME_MS

    async def next_ms(self) -> float:
        """Waits for the next frame; returns when its first sample was. A very late reader misses what is past."""
        now = self._clock.exact_mono_ms()
        if now - self._next_ms > _KEPT_MS:
            self._next_ms += (now - self._next_ms) // FRAME_MS * FRAME_MS
        await asyncio.sleep(max(0.0, self._next_ms - now) / 1000)
        began_ms = self._next_ms - FRAME_MS
        self._next_ms += FRAME_MS
        return began_ms
