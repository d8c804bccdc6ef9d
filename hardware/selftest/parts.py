"""The parts of a board as the self-test sees them: None for one that is not fitted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hardware.interfaces import (
    Amplifier,
    ButtonPanel,
    FmTuner,
    Guardian,
    Lamps,
    Meter,
    Microphone,
    SoundCard,
)


@dataclass(frozen=True, slots=True)
class Supply:
    """Under-voltage, now and at any time since the computer was started."""

    now: bool
    since_boot: bool


class StationScan(Protocol):
    """Looks for stations from one end of the band to the other."""

    async def __call__(self) -> tuple[Station, ...]:
        """What was found, lowest frequency first. Raises CardLostError."""
        ...


@dataclass(frozen=True, slots=True)
class Station:
    """A station; `pi` and `ps` are empty while its RDS was not understood."""

    frequency_khz: int
    rssi_dbuv: int
    pi: str = ""
    ps: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is fitted and could be opened.

    Attributes:
        microphone: as it hears, without gate and levelling.
        clock_chip: the chip's time, None when it says itself that it has stopped.
        broken: parts that the board's description names and that could not be opened, with the reason in English.
    """

    variant: str = ""
    card: SoundCard | None = None
    microphone: Microphone | None = None
    amplifier: Amplifier | None = None
    meter: Meter | None = None
    panel: ButtonPanel | None = None
    buttons: tuple[str, ...] = ()
    lamps: Lamps | None = None
    tuner: FmTuner | None = None
    scan: StationScan | None = None
    guardian: Guardian | None = None
    clock_chip: Callable[[], Awaitable[datetime | None]] | None = None
    power: Callable[[], Awaitable[Supply]] | None = None
    broken: Mapping[str, str] = field(default_factory=dict)
    close: Callable[[], Awaitable[None]] | None = None
