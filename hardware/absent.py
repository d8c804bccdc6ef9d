"""What stands where a board has nothing: everybody can go on asking, and the answer is always the same.

A sound card or a microphone that is not there is lost; the others do nothing, and nothing comes from them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from hardware.errors import CardLostError
from hardware.interfaces import LampStates, Pressed, SoundSource


class AbsentCard:
    """Implements `hardware.interfaces.SoundCard`: the agent runs, and tells that it cannot be heard."""

    def __init__(self, why: str) -> None:
        self._why = why

    def delay_ms(self) -> float:
        """See `hardware.interfaces.SoundCard`."""
        return 0.0

    async def write(self, frame: bytes) -> None:
        """See `hardware.interfaces.SoundCard`."""
        raise CardLostError(self._why)

    async def drain(self) -> None:
        """See `hardware.interfaces.SoundCard`."""


class AbsentMicrophone:
    """Implements `hardware.interfaces.Microphone`."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def open(self) -> SoundSource:
        """See `hardware.interfaces.Microphone`."""
        raise CardLostError(self._why)


class AbsentAmplifier:
    """Implements `hardware.interfaces.Amplifier` where the amplifier is always on, or switches by itself."""

    async def switch(self, on: bool) -> None:
        """See `hardware.interfaces.Amplifier`."""


class AbsentMeter:
    """Implements `hardware.interfaces.Meter`."""

    def level_cdb(self) -> int | None:
        """See `hardware.interfaces.Meter`."""
        return None


class AbsentLamps:
    """Implements `hardware.interfaces.Lamps`."""

    def show(self, states: LampStates) -> None:
        """See `hardware.interfaces.Lamps`."""


class AbsentButtons:
    """Implements `hardware.interfaces.ButtonPanel`: nobody ever presses."""

    async def presses(self) -> AsyncIterator[Pressed]:
        """See `hardware.interfaces.ButtonPanel`."""
        await asyncio.Event().wait()
        yield  # type: ignore[misc]  # never reached: it makes this a generator
