"""Audible configuration: whatever changes what comes out of the horn is here, and is signed by an operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from protocol.bulletin import MediaRef
from protocol.clock import DAY_S, WallMs, local_second, local_weekday
from protocol.codec import bounded
from protocol.limits import MESSAGES_MAX, STATIONS_MAX, WINDOWS_MAX
from protocol.schedule import check_frequency, check_pi
from protocol.units import UnitPath, unit_path


@dataclass(frozen=True, slots=True)
class Window:
    """A part of chosen local days, from one second to another; an end before the start runs past midnight.

    Attributes:
        days: ISO weekdays on which the window begins; empty means every day.
    """

    begin_s: int = field(metadata=bounded(high=DAY_S - 1))
    end_s: int = field(metadata=bounded(high=DAY_S))
    days: tuple[int, ...] = field(default=(), metadata=bounded(low=1, high=7, count_max=7))

    def __post_init__(self) -> None:
        if self.begin_s == self.end_s:
            raise ValueError("a window needs a length")

    def contains(self, wall: WallMs) -> bool:
        """Whether the instant lies within."""
        second, today = local_second(wall), local_weekday(wall)
        if self.begin_s < self.end_s:
            return self.begin_s <= second < self.end_s and self._begins_on(today)
        if second >= self.begin_s:
            return self._begins_on(today)
        return second < self.end_s and self._begins_on((today - 2) % 7 + 1)

    def _begins_on(self, weekday: int) -> bool:
        return not self.days or weekday in self.days


class Fallback(StrEnum):
    """What follows a stored programme that cannot be played."""

    SILENCE = "silence"
    FM = "fm"


@dataclass(frozen=True, slots=True)
class Station:
    """An FM station a device may open, in order of preference.

    Attributes:
        pi: RDS programme identity that must match, or None when the station sends none.
    """

    frequency_khz: int
    name: str
    pi: str | None = None

    def __post_init__(self) -> None:
        check_frequency(self.frequency_khz)
        check_pi(self.pi)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """Sound behind one of the message buttons at the device (tin nhắn lưu sẵn).

    Attributes:
        number: of the button, from 1.
        title: for people: what the message says.
    """

    number: int = field(metadata=bounded(low=1, high=MESSAGES_MAX))
    title: str
    media: MediaRef


@dataclass(frozen=True, slots=True)
class AudibleConfig:
    """The rules of the horn for one unit. The nearest ancestor that has one decides, as a whole.

    Gains are in hundredths of a decibel below full scale of the levelled programme. The defaults are the product's
    safe values, in force from the first boot until a signed document says otherwise.

    Attributes:
        rssi_floor_dbuv: weakest FM signal that opens the gate, in dB above 1 microvolt.
        fm_session_ms_max: longest single opening of the FM gate.
        head_age_ms_max: without a fresh head for this long, stored programmes stop (behaviour.md, section 3).
        messages: what the message buttons play, at most one behind each.
    """

    scope: UnitPath
    version: int
    issued: WallMs
    quiet_hours: tuple[Window, ...] = field(default=(), metadata=bounded(count_max=WINDOWS_MAX))
    microphone_in_quiet_hours: bool = True
    fm_stations: tuple[Station, ...] = field(default=(), metadata=bounded(count_max=STATIONS_MAX))
    fm_windows: tuple[Window, ...] = field(default=(), metadata=bounded(count_max=WINDOWS_MAX))
    fallback: Fallback = Fallback.SILENCE
    on_computer_dead: Fallback = Fallback.SILENCE
    rssi_floor_dbuv: int = field(default=30, metadata=bounded(high=80))
    fm_session_ms_max: int = field(default=3_600_000, metadata=bounded(low=1000, high=6 * 3_600_000))
    ordinary_attenuation_cdb: int = field(default=0, metadata=bounded(high=6000))
    priority_attenuation_cdb: int = field(default=0, metadata=bounded(high=6000))
    emergency_attenuation_cdb: int = field(default=0, metadata=bounded(high=1200))
    amplifier_lead_in_ms: int = field(default=700, metadata=bounded(high=3000))
    amplifier_hold_ms: int = field(default=5000, metadata=bounded(low=500, high=60_000))
    talk_ms_max: int = field(default=900_000, metadata=bounded(low=10_000, high=3_600_000))
    head_age_ms_max: int = field(default=8 * 86_400_000, metadata=bounded(low=60_000, high=92 * 86_400_000))
    messages: tuple[StoredMessage, ...] = field(default=(), metadata=bounded(count_max=MESSAGES_MAX))

    def __post_init__(self) -> None:
        unit_path(self.scope)
        if len({message.number for message in self.messages}) != len(self.messages):
            raise ValueError("two messages stand behind one button")


def in_any(windows: tuple[Window, ...], wall: WallMs) -> bool:
    """Whether the instant lies within one of the windows."""
    return any(window.contains(wall) for window in windows)


DEFAULT_QUIET_HOURS = (Window(begin_s=21 * 3600, end_s=6 * 3600),)
"""QCVN 26:2025 counts 6 to 21 h as day."""
