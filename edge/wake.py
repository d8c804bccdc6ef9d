"""The one timer of the agent: it rings when the core wants to look again; most of its rings are put off before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from edge.ports import Clock
from protocol.clock import MonoMs

_RUNG: Final = MonoMs(2**53)
"""A timer that has rung rings no more, although its task lives until the tick is decided."""


class Wake:
    """Rings once for each time that stands when it comes.

    Args:
        ring: awaited when the time has come; returns when the tick has been decided.

    Attributes:
        not_before: after a failed save nothing is looked at again before this.
    """

    def __init__(self, clock: Clock, ring: Callable[[], Awaitable[None]]) -> None:
        self._clock, self._ring = clock, ring
        self._at: MonoMs | None = None
        self._rings_at = MonoMs(0)
        self._waits = False
        self.not_before: MonoMs | None = None
        self.task: asyncio.Task[None] | None = None

    def heard(self) -> None:
        """The tick is being decided: another one may be asked for."""
        self._waits = False

    def plan(self, at: MonoMs | None) -> None:
        """Rings then, and no longer when it was planned before; None for not at all."""
        if at is not None and self.not_before is not None:
            at = MonoMs(max(at, self.not_before))
        if self._waits:
            return
        self._at = at
        if self.task and not self.task.done():
            if at is not None and self._rings_at <= at:
                return  # it looks again when it rings: most wakes are put off again and again
            self.task.cancel()
        self._rings_at = at or self._rings_at
        self.task = None if at is None else asyncio.create_task(self._wait(at), name="timer")

    async def _wait(self, at: MonoMs) -> None:
        while True:
            self._rings_at = at
            await self._clock.sleep_until(at)
            if self._at is None or self._at <= at:
                break
            at = self._at
        self._at, self._waits, self._rings_at = None, True, _RUNG
        await self._ring()
