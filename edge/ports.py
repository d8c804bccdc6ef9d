"""The seams between the agent and everything else: each is thin, and each has a contract suite in `tests/contracts`.

What a board offers is defined in `hardware.interfaces` and shown here under the same names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from edge.core.effects import StoredDocument
from edge.core.events import Event
from edge.core.output import Output
from hardware.errors import CardLostError as CardLostError
from hardware.errors import MediaError as MediaError
from hardware.errors import PortError as PortError
from hardware.interfaces import FRAME_BYTES as FRAME_BYTES
from hardware.interfaces import FRAME_MS as FRAME_MS
from hardware.interfaces import FRAME_SAMPLES as FRAME_SAMPLES
from hardware.interfaces import SAMPLE_RATE as SAMPLE_RATE
from hardware.interfaces import SILENT_FRAME as SILENT_FRAME
from hardware.interfaces import Amplifier as Amplifier
from hardware.interfaces import ClockChip as ClockChip
from hardware.interfaces import FmSignal as FmSignal
from hardware.interfaces import FmTuner as FmTuner
from hardware.interfaces import Guardian as Guardian
from hardware.interfaces import Lamps as Lamps
from hardware.interfaces import Meter as Meter
from hardware.interfaces import Microphone as Microphone
from hardware.interfaces import PacketDecoder as PacketDecoder
from hardware.interfaces import Player as Player
from hardware.interfaces import SoundCard as SoundCard
from hardware.interfaces import SoundSource as SoundSource
from hardware.interfaces import Watch as Watch
from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, Now
from protocol.units import UnitPath


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


class Voice(Protocol):
    """Speaks text on the device, with no network."""

    async def speak(self, text: str, language: str) -> SoundSource:
        """The spoken text. Raises MediaError when the language has no voice."""
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
    def clock_chip(self) -> ClockChip | None: ...
    def lamps(self) -> Lamps: ...
    def guardian(self) -> Guardian | None: ...
    def watch(self) -> Watch: ...
