"""The real clock: the only place of the agent where time is read for decisions."""

from __future__ import annotations

import asyncio
import time

from protocol.clock import ClockTrust, MonoMs, Now, WallMs

_NS: int = 1_000_000
_APART_NS_MAX: int = 100_000
_TRIES: int = 5


def both_ns() -> tuple[int, int]:
    """Monotonic and wall time of the same instant.

    A processor that is taken from us between the two readings shifts one against the other by milliseconds, and with
    them the start of a programme that is planned by this reading. So a pair that took long is read again.
    """
    before_ns = time.monotonic_ns()
    for _ in range(_TRIES):
        wall_ns, after_ns = time.time_ns(), time.monotonic_ns()
        if after_ns - before_ns <= _APART_NS_MAX:
            break
        before_ns = after_ns
    return before_ns, wall_ns


class SystemClock:
    """Implements Clock."""

    def now(self) -> Now:
        """The present; how far it is believed is the core's affair."""
        mono_ns, wall_ns = both_ns()
        return Now(MonoMs(mono_ns // _NS), WallMs(wall_ns // _NS), ClockTrust.NONE)

    async def sleep_until(self, at: MonoMs) -> None:
        """Returns when the monotonic clock has reached `at`."""
        left_ms = at - time.monotonic_ns() / _NS
        while left_ms > 0:
            await asyncio.sleep(left_ms / 1000)
            left_ms = at - time.monotonic_ns() / _NS
