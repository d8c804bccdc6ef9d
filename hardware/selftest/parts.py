"""The parts of a board as the self-test sees them: None for one that is not fitted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from hardware.interfaces import Amplifier, ButtonPanel, Guardian, Lamps, Meter, Microphone, SoundCard
from hardware.selftest.meanwhile import beating, kept_running

if TYPE_CHECKING:
    from hardware.line_check import LineCheck


@dataclass(frozen=True, slots=True)
class Station:
    """A station; `pi` and `ps` are empty while its RDS was not understood."""

    frequency_khz: int
    rssi_dbuv: int
    pi: str = ""
    ps: str = ""


class StationScan(Protocol):
    """Looks for stations from one end of the band to the other."""

    async def __call__(self) -> tuple[Station, ...]:
        """What was found, lowest frequency first. Raises CardLostError."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What is fitted and could be opened.

    Attributes:
        microphone: as it hears, without gate and levelling.
        line: the check of the speaker line by a pilot tone.
        clock_chip: the chip's time, None when it says itself that it has stopped.
        set_clock_chip: sets it to seconds since 1970, as this second begins; None for one that the kernel owns.
        broken: sections of the board's file whose parts could not be opened, with the reason in English.
    """

    variant: str = ""
    card: SoundCard | None = None
    microphone: Microphone | None = None
    amplifier: Amplifier | None = None
    meter: Meter | None = None
    line: LineCheck | None = None
    panel: ButtonPanel | None = None
    buttons: tuple[str, ...] = ()
    lamps: Lamps | None = None
    scan: StationScan | None = None
    guardian: Guardian | None = None
    clock_chip: Callable[[], Awaitable[datetime | None]] | None = None
    set_clock_chip: Callable[[int], Awaitable[None]] | None = None
    broken: Mapping[str, str] = field(default_factory=dict)
    close: Callable[[], Awaitable[None]] | None = None

    @asynccontextmanager
    async def awake(self) -> AsyncIterator[None]:
        """The meter measures and the guardian hears that somebody lives, as in an agent; then all is closed."""
        try:
            async with kept_running(getattr(self.meter, "run", None)), beating(self.guardian):
                yield
        finally:
            if self.close is not None:
                await self.close()
