"""What every board offers, real or simulated: sound in frames, buttons, lamps, a tuner, proof of sound, a guardian.

All frames are 20 ms of 48 kHz mono signed 16-bit little-endian samples: 960 samples, 1,920 bytes. Nothing here knows
of schedules, documents or the agent; `edge.ports` shows these interfaces to the agent, `tests/contracts` hold them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

SAMPLE_RATE: Final = 48_000
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = SAMPLE_RATE * FRAME_MS // 1000
FRAME_BYTES: Final = FRAME_SAMPLES * 2
SILENT_FRAME: Final = bytes(FRAME_BYTES)


class SoundSource(Protocol):
    """Sound that can be read frame by frame."""

    async def read(self) -> bytes | None:
        """One frame; a last short one is padded with silence. None at the end.

        Raises:
            MediaError: the sound breaks off.
        """
        ...

    async def close(self) -> None:
        """Lets go of files and decoders; may be called twice."""
        ...


class PacketDecoder(Protocol):
    """Decodes a live session's Opus packets of 20 ms, one by one."""

    def decode(self, packet: bytes) -> bytes:
        """One frame. Raises MediaError."""
        ...


class Player(Protocol):
    """Decodes stored files and streams."""

    async def open(self, media: Path, *, offset_ms: int = 0) -> SoundSource:
        """A source whose first sample is the one at `offset_ms`, exact to the sample; ready to be read at once.

        Raises:
            MediaError: not sound, or nothing left at that offset.
        """
        ...

    async def open_stream(self, address: str) -> SoundSource:
        """A web radio or network stream from now on, at the pace at which it comes; ends when it breaks off.

        Args:
            address: http, https, rtsp or rtp; HLS playlists by http(s).

        Raises:
            MediaError: nobody answers within 10 s, or what answers is not sound.
        """
        ...

    def packet_decoder(self) -> PacketDecoder:
        """A fresh decoder for live Opus packets."""
        ...


class SoundCard(Protocol):
    """Where frames become sound."""

    def delay_ms(self) -> float:
        """Time from now until the first sample of the next written frame is heard."""
        ...

    async def write(self, frame: bytes) -> None:
        """Takes one frame and returns when there is room for the next: this paces the engine.

        Raises:
            CardLostError: the card is gone.
        """
        ...

    async def drain(self) -> None:
        """Returns when all that was written has been heard; the next write starts the card anew."""
        ...


class Microphone(Protocol):
    """The microphone at the device."""

    async def open(self) -> SoundSource:
        """Live frames from now on. Raises CardLostError."""
        ...


@dataclass(frozen=True, slots=True)
class FmSignal:
    """A reading of the tuner. `pi` is None while no RDS identity is decoded."""

    frequency_khz: int
    rssi_dbuv: int
    pi: str | None


class FmTuner(Protocol):
    """An FM receiver whose sound can be read."""

    async def tune(self, frequency_khz: int) -> None:
        """Raises CardLostError when the chip does not answer or cannot receive that frequency."""
        ...

    async def signal(self) -> FmSignal:
        """Reading of the frequency tuned to."""
        ...

    async def open(self) -> SoundSource:
        """What it hears on the frequency tuned to, noise included."""
        ...


class Amplifier(Protocol):
    """The power amplifier's enable line."""

    async def switch(self, on: bool) -> None:
        """Sets the line; idempotent."""
        ...


class Meter(Protocol):
    """Measures what really comes out, where the board can."""

    def level_cdb(self) -> int | None:
        """Level of the last second at the amplifier's output in hundredths of dBFS; None without such a meter."""
        ...


class ClockChip(Protocol):
    """A clock with a battery that nobody but us sets."""

    async def read_ms(self) -> int | None:
        """Wall milliseconds, whole seconds; None when it knows itself that it has stopped. Raises CardLostError."""
        ...

    async def set(self, utc_s: int) -> None:
        """Sets it as this second begins. Raises CardLostError."""
        ...


class Button(StrEnum):
    """What a hand finds at the device."""

    TALK = "talk"
    KEY = "key"
    STOP = "stop"
    MESSAGE_1 = "message_1"
    MESSAGE_2 = "message_2"
    MESSAGE_3 = "message_3"


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button or the key switch went down, or up again; bouncing is taken out."""

    button: Button
    down: bool


class ButtonPanel(Protocol):
    """The buttons and the key switch of a board."""

    def presses(self) -> AsyncIterator[Pressed]:
        """Changes as they come; what is held down at the beginning comes first."""
        ...


class Glow(StrEnum):
    """How a lamp shines."""

    OFF = "off"
    ON = "on"
    BLINK = "blink"


@dataclass(frozen=True, slots=True)
class LampStates:
    """The three lamps at the device: something sounds, the controller is reached, something is wrong."""

    on_air: Glow = Glow.OFF
    link: Glow = Glow.OFF
    fault: Glow = Glow.OFF


class Lamps(Protocol):
    """The lamps of a board."""

    def show(self, states: LampStates) -> None:
        """Lets them shine so from now on; never blocks, never raises."""
        ...


class Part(StrEnum):
    """A part of the board that can be found sick while the agent runs."""

    SPEAKER_LINE = "speaker_line"
    POWER = "power"
    GUARDIAN = "guardian"
    TUNER = "tuner"
    CLOCK_CHIP = "clock_chip"
    METER = "meter"


@dataclass(frozen=True, slots=True)
class Condition:
    """How a part is, told when it changes.

    Attributes:
        detail: for the technician, in English, with the figure that was measured.
    """

    part: Part
    healthy: bool
    detail: str = ""


class Watch(Protocol):
    """Looks after the parts of a board."""

    def conditions(self) -> AsyncIterator[Condition]:
        """The first finding about each part, then its changes."""
        ...


@dataclass(frozen=True, slots=True)
class GuardWindow:
    """A time in which the guardian may open FM by itself: wall milliseconds, the end excluded."""

    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class GuardStation:
    """A station it may open, with the RDS identity that must match, if any."""

    frequency_khz: int
    pi: str | None = None


@dataclass(frozen=True, slots=True)
class GuardPlan:
    """What the guardian does while the computer is dead: nothing, or FM within these windows.

    Attributes:
        version: grows with every plan; an older one is refused.
        windows: of the next 8 days at most, sorted, none overlapping; empty means silence.
        stations: in order of preference.
    """

    version: int
    windows: tuple[GuardWindow, ...] = ()
    stations: tuple[GuardStation, ...] = ()
    rssi_floor_dbuv: int = 30
    session_ms_max: int = 3_600_000


@dataclass(frozen=True, slots=True)
class GuardianState:
    """What the guardian last told.

    Attributes:
        source: `computer`, `fm` or `silence`: what its relay lets through.
        plan_version: of the plan it holds; 0 for none.
        boots: how often it has started; `reset_cause` of the last one: `power`, `watchdog`, `soft`.
        clock_refused: it was told a time it does not believe.
    """

    source: str
    plan_version: int
    boots: int
    reset_cause: str
    clock_refused: bool = False


class Guardian(Protocol):
    """The supervising microcontroller: its relay lets the computer through while that proves it lives."""

    async def beat(self, wall_ms: int | None) -> None:
        """One proof of life; due every 500 ms.

        Args:
            wall_ms: the time in milliseconds since 1970 while the clock is believed, else None.

        Raises:
            CardLostError: the guardian is not there.
        """
        ...

    async def arm(self, plan: GuardPlan) -> None:
        """Hands over a plan and returns when it is stored there. Raises CardLostError."""
        ...

    def state(self) -> GuardianState | None:
        """What it last told; None when it has not answered lately."""
        ...
