"""The clock of the sound path: monotonic time as it is, wall time as the core believes it.

A computer without a battery clock starts years in the past; once the controller has answered our nonce the core knows
the hour although the system does not, and what belongs to an hour must sound by it.
"""

from __future__ import annotations

from dataclasses import replace

from edge.ports import Clock
from protocol.clock import MonoMs, Now, WallMs


class BelievedClock:
    """Implements `edge.ports.Clock` on top of another one.

    Attributes:
        shift_ms: from that clock's wall time to the believed one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.shift_ms = 0

    def now(self) -> Now:
        """See `edge.ports.Clock`."""
        now = self._clock.now()
        return replace(now, wall=WallMs(now.wall + self.shift_ms))

    async def sleep_until(self, at: MonoMs) -> None:
        """See `edge.ports.Clock`."""
        await self._clock.sleep_until(at)
