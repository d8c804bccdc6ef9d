"""The clock of a simulated device: monotonic time is the event loop's, wall time stands at an offset from it.

On an ordinary loop that is real time; on a `VirtualLoop` it is virtual time.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

from protocol.clock import ClockTrust, MonoMs, Now, WallMs

_PAIRS: Final = 5


class LoopClock:
    """Implements `edge.ports.Clock`.

    Attributes:
        offset_ms: wall minus monotonic time, in whole milliseconds; change it and the wall clock steps.
    """

    def __init__(self, *, wall: WallMs | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        offset_ms = self._present_offset_ms() if wall is None else wall - self._loop.time() * 1000
        self.offset_ms = round(offset_ms)

    def _present_offset_ms(self) -> float:
        """Of several pairs of readings the closest: on a busy machine others run between two of them."""
        pairs = []
        for _ in range(_PAIRS):
            mono_s, wall_s = self._loop.time(), time.time()
            pairs.append((self._loop.time() - mono_s, wall_s - mono_s))
        return min(pairs)[1] * 1000

    def now(self) -> Now:
        """See `edge.ports.Clock`."""
        mono = self.exact_mono_ms()
        return Now(mono=MonoMs(int(mono)), wall=WallMs(int(mono) + self.offset_ms), clock=ClockTrust.NONE)

    def exact_mono_ms(self) -> float:
        """Monotonic time with its fractions: what a simulated card keeps its own time by."""
        return self._loop.time() * 1000

    async def sleep_until(self, at: MonoMs) -> None:
        """See `edge.ports.Clock`."""
        await asyncio.sleep(max(0.0, (at - self.exact_mono_ms()) / 1000))
