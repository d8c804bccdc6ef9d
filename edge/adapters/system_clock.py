"""The real clock: the only place of the agent where time is read for decisions."""

from __future__ import annotations

import asyncio
import time

from protocol.clock import ClockTrust, MonoMs, Now, WallMs

_NS: int = 1_000_000


class SystemClock:
    """Implements Clock."""

    def now(self) -> Now:
        """The present; how far it is believed is the core's affair."""
        return Now(MonoMs(time.monotonic_ns() // _NS), WallMs(time.time_ns() // _NS), ClockTrust.NONE)

    async def sleep_until(self, at: MonoMs) -> None:
        """Returns when the monotonic clock has reached `at`."""
        left_ms = at - time.monotonic_ns() / _NS
        while left_ms > 0:
            await asyncio.sleep(left_ms / 1000)
            left_ms = at - time.monotonic_ns() / _NS
