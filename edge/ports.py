"""The seams between the agent and everything else: each is thin, and each has a contract suite in `tests/contracts`.

All frames are 20 ms of 48 kHz mono signed 16-bit little-endian samples: 960 samples, 1,920 bytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from edge.core.effects import StoredDocument
from edge.core.events import Event
from edge.core.output import Output
from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, Now
from protocol.units import UnitPath

SAMPLE_RATE: Final = 48_000
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = SAMPLE_RATE * FRAME_MS // 1000
FRAME_BYTES: Final = FRAME_SAMPLES * 2
SILENT_FRAME: Final = bytes(FRAME_BYTES)


class PortError(Exception):
    """A port could not do what it was asked; the message says what, the cause is chained."""


class MediaError(PortError):
    """A file is not sound that can be decoded."""


class CardLostError(PortError):
    """The sound card or tuner is not there (any more)."""


class StorageFullError(PortError):
    """There is no room to make this durable."""


class FetchError(PortError):
    """A download ended early; what came so far is kept.

    Attributes:
        damaged: all bytes came and the digest is another one; they were thrown away.
    """

    def __init__(self, message: str, *, damaged: bool = False) -> None:
        super().__init__(message)
        self.damaged = damaged


class Clock(Protocol):
    """The only place where time is read."""

    def now(self) -> Now:
        """The present. `clock` is NONE here; the core holds the trust."""
        ...

    async def sleep_until(self, at: MonoMs) -> None:
        """Returns when the monotonic clock has reached `at`."""
        ...


class Link(Protocol):
    """The MQTT connection: subscribes to the device's topics, reconnects for ever, bounded queues."""

    def events(self) -> AsyncIterator[Event]:
        """LinkChanged, ParcelReceived, EnvelopeReceived and LiveSegmentReceived, as they come."""
        ...

    def relocate(self, place: UnitPath) -> None:
        """Listens to the topics of this place from now on, and no longer to those it left; never blocks."""
        ...

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Sends with QoS 1 and returns when the broker has acknowledged.

        Raises:
            PortError: the link is down or went down; the message may or may not have arrived.
        """
        ...


class MediaSink(Protocol):
    """Where a download's bytes go."""

    @property
    def offset_bytes(self) -> int:
        """How many bytes are there already."""
        ...

    async def write(self, data: bytes) -> None:
        """Appends. Raises StorageFullError."""
        ...

    async def finish(self) -> None:
        """Checks size and digest, then makes the media durable and visible in one act.

        Raises:
            FetchError: incomplete (kept), or damaged (thrown away).
        """
        ...

    async def close(self) -> None:
        """Lets go; unfinished bytes stay for the next try."""
        ...


class Fetcher(Protocol):
    """HTTP(S) to the controller."""

    async def fetch(self, media: MediaRef, sink: MediaSink) -> None:
        """Brings the rest of a media into the sink by range and finishes it. Raises FetchError, StorageFullError."""
        ...

    async def attest(self, nonce: str) -> bytes:
        """The controller's packed attestation envelope for our nonce. Raises FetchError."""
        ...

    def relocate(self, place: UnitPath) -> None:
        """Asks for the documents of this place from the next poll on."""
        ...

    def parcels(self) -> AsyncIterator[Event]:
        """The second path: long-polls the parcels and alerts of all ancestors for ever, as events with Route.HTTP."""
        ...


class MediaStore(Protocol):
    """Programmes by digest. What it shows is complete and verified."""

    def digests(self) -> frozenset[str]:
        """All that is stored."""
        ...

    def free_bytes(self) -> int:
        """Room for more, after a reserve that is never used for media."""
        ...

    def sink(self, media: MediaRef) -> MediaSink:
        """A place for a download. Raises StorageFullError when it cannot fit."""
        ...

    def path(self, digest: str) -> Path | None:
        """The file, or None when it is not stored (any more)."""
        ...

    def delete(self, digest: str) -> None:
        """Forgets a media, also a half one; unknown digests are fine."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """What a state store held. `damaged` says that something was there and had to be set aside."""

    registers: bytes | None
    envelopes: tuple[bytes, ...]
    damaged: bool = False


class StateStore(Protocol):
    """Registers and signed documents."""

    def load(self) -> Stored:
        """What was saved last; never raises for damage, which is set aside and told."""
        ...

    def save(self, registers: bytes, put: tuple[StoredDocument, ...], drop: tuple[str, ...]) -> None:
        """Returns when it is durable; all of it or nothing. Raises StorageFullError."""
        ...


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


class Player(Protocol):
    """Decodes stored files."""

    async def open(self, media: Path, *, offset_ms: int = 0) -> SoundSource:
        """A source whose first sample is the one at `offset_ms`, exact to the sample; ready to be read at once.

        Raises:
            MediaError: not sound, or nothing left at that offset.
        """
        ...

    def packet_decoder(self) -> PacketDecoder:
        """A fresh decoder for live Opus packets."""
        ...


class PacketDecoder(Protocol):
    """Decodes a live session's Opus packets of 20 ms, one by one."""

    def decode(self, packet: bytes) -> bytes:
        """One frame. Raises MediaError."""
        ...


class Voice(Protocol):
    """Speaks text on the device, with no network."""

    async def speak(self, text: str, language: str) -> SoundSource:
        """The spoken text. Raises MediaError when the language has no voice."""
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
        """Raises CardLostError when the chip does not answer."""
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


class Panel(Protocol):
    """Buttons at the device."""

    def events(self) -> AsyncIterator[Event]:
        """TalkPressed, TalkReleased, StopPressed."""
        ...


class ClockSources(Protocol):
    """Second opinions about the time: NTP, RTC, RDS, cellular."""

    def events(self) -> AsyncIterator[Event]:
        """ClockRead, now and then."""
        ...


class Audio(Protocol):
    """The sound path. Exactly one output sounds at a time."""

    async def switch(self, output: Output, *, at: MonoMs) -> None:
        """Lets an output sound from `at` on: prepares it now, forgets a planned one that has not begun.

        The same key again changes nothing that sounds.
        """
        ...

    def feed_live(self, session_id: str, counter: int, packets: tuple[bytes, ...]) -> None:
        """Opus packets of 20 ms for a live output."""
        ...

    async def mute(self, muted: bool) -> None:
        """Holds the amplifier off whatever the output."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """SoundStarted, SoundEnded, LevelMeasured, CardChanged."""
        ...


class Board(Protocol):
    """All of a device's hardware behind one name."""

    def card(self) -> SoundCard: ...
    def microphone(self) -> Microphone: ...
    def tuner(self) -> FmTuner | None: ...
    def panel(self) -> Panel: ...
    def amplifier(self) -> Amplifier: ...
    def meter(self) -> Meter: ...
    def clock_sources(self) -> ClockSources: ...
