"""The clock of the sound path: monotonic time as it is, wall time as the core believes it.

A computer without a battery clock starts years in the past; once the controller has answered our nonce the core knows
the hour although the system does not, and what belongs to an hour must sound by it. The system's clock may also be
set while something sounds, by an hour and back again: until the core has judged that, the hour goes on as it did.
"""

from __future__ import annotations

from dataclasses import replace

from edge.core.clock_trust import AGREEMENT_MS
from edge.ports import Clock
from protocol.clock import MonoMs, Now, WallMs


class BelievedClock:
    """Implements `edge.ports.Clock` on top of another one.

    Attributes:
        shift_ms: from that clock's wall time, as the core judged it last, to the believed one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.shift_ms = 0
        self._judged_ms: int | None = None

    def judged(self, now: Now) -> None:
        """The core has seen that clock like this, and `shift_ms` is what it makes of it."""
        self._judged_ms = now.wall - now.mono

    def now(self) -> Now:
        """See `edge.ports.Clock`."""
        now = self._clock.now()
        wall = now.wall
        if self._judged_ms is not None and abs(now.wall - now.mono - self._judged_ms) > AGREEMENT_MS:
            wall = WallMs(now.mono + self._judged_ms)
        return replace(now, wall=WallMs(wall + self.shift_ms))

    async def sleep_until(self, at: MonoMs) -> None:
        """See `edge.ports.Clock`."""
        await self._clock.sleep_until(at)
