"""What the guardian is told to do while the computer is dead: the shape of it, as the core decides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from protocol.clock import WallMs

GUARDED_WINDOWS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class GuardedWindow:
    """A time in which FM may be opened: wall milliseconds, the end excluded."""

    begin: WallMs
    end: WallMs


@dataclass(frozen=True, slots=True)
class GuardedStation:
    """A station that may be opened, with the RDS identity that must match, if any."""

    frequency_khz: int
    pi: str | None = None


@dataclass(frozen=True, slots=True)
class GuardingPlan:
    """FM within these windows, or nothing; `hardware.interfaces.GuardPlan` on the board's side.

    Attributes:
        version: grows with every plan, for ever; an older one is refused.
        windows: sorted, none overlapping, at most `GUARDED_WINDOWS_MAX`; empty means silence.
        stations: in order of preference.
    """

    version: int
    windows: tuple[GuardedWindow, ...] = ()
    stations: tuple[GuardedStation, ...] = ()
    rssi_floor_dbuv: int = 30
    session_ms_max: int = 3_600_000
