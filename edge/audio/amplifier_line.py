"""When the amplifier is on: early enough before a sound, a while after it, and never while muted."""

from __future__ import annotations

import asyncio

from edge.ports import Amplifier, Clock
from protocol.clock import MonoMs


class AmplifierLine:
    """The amplifier's enable line with its lead-in and hold.

    Attributes:
        lead_in_ms: from switching on until sound comes through.
        hold_ms: how long it stays on after the last sound.
    """

    def __init__(self, amplifier: Amplifier, clock: Clock, *, lead_in_ms: int, hold_ms: int) -> None:
        self._amplifier = amplifier
        self._clock = clock
        self.lead_in_ms = lead_in_ms
        self.hold_ms = hold_ms
        self._lock = asyncio.Lock()
        self._on_since: MonoMs | None = None
        self._wanted_until = clock.now().mono
        self._muted = False

    @property
    def on(self) -> bool:
        """Whether the line is on."""
        return self._on_since is not None

    def ready_at(self, now: MonoMs) -> MonoMs:
        """When sound can come through, if it is switched on now at the latest. A mute does not hold sound up."""
        if self._muted:
            return now
        return MonoMs((now if self._on_since is None else self._on_since) + self.lead_in_ms)

    async def follow(self, *, wanted: bool) -> None:
        """Switches on when wanted, and off when its hold time is over."""
        now = self._clock.now().mono
        if wanted:
            self._wanted_until = MonoMs(now + self.hold_ms)
        await self._set(now < self._wanted_until)

    async def mute(self, muted: bool) -> None:
        """Holds the line off, or lets it follow again. It is set even if it should be off: sound was heard."""
        self._muted = muted
        if muted:
            self._on_since = None
            await self._amplifier.switch(False)

    async def release(self) -> None:
        """Switches off without a hold time."""
        self._wanted_until = self._clock.now().mono
        await self._set(False)

    async def _set(self, on: bool) -> None:
        async with self._lock:
            on = on and not self._muted
            if on != self.on:
                await self._amplifier.switch(on)
                self._on_since = self._clock.now().mono if on else None
