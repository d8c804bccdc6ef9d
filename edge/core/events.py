"""What happened, told to the core in the past tense. Every event is plain data, so a journal can hold it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from edge.core.board_part import BoardPart as BoardPart
from protocol.clock import MonoMs, WallMs
from protocol.errors import Refusal
from protocol.report import EndReason


class Route(StrEnum):
    """The way by which bytes came; it changes limits and what is reported, never what is believed."""

    DOC = "doc"
    ALERT = "alert"
    HTTP = "http"
    USB = "usb"
    STORE = "store"


@dataclass(frozen=True, slots=True)
class Booted:
    """The agent starts.

    Attributes:
        boot_id: new with every start.
        registers: the small state that was saved last, or None at the first start or when it was damaged.
        envelopes: the signed documents that were stored, as bytes; they are verified again.
        media: digests of the media that are stored and were verified.
        damaged: stored state was there and could not be read.
    """

    boot_id: str
    registers: bytes | None
    envelopes: tuple[bytes, ...]
    media: tuple[str, ...]
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Ticked:
    """The time of `wake_at` has come."""


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The MQTT link came up or went down."""

    up: bool


@dataclass(frozen=True, slots=True)
class EnvelopeReceived:
    """Bytes that claim to be an envelope, from whichever side."""

    data: bytes
    route: Route


@dataclass(frozen=True, slots=True)
class ParcelReceived:
    """Bytes that claim to be a parcel of envelopes."""

    data: bytes
    route: Route


@dataclass(frozen=True, slots=True)
class LiveSegmentReceived:
    """Bytes that claim to be a segment of a live session."""

    data: bytes


@dataclass(frozen=True, slots=True)
class AttestationReceived:
    """An envelope that answers our nonce.

    Attributes:
        nonce: the nonce that the adapter sent; random numbers are made outside the core.
        asked: when it was sent; half of the round trip bounds the error.
    """

    data: bytes
    nonce: str
    asked: MonoMs


@dataclass(frozen=True, slots=True)
class RootReceived:
    """What the root says, verified by TUF before it comes here: the anchor file, and its word."""

    anchor: bytes | None = None
    word: bytes | None = None


@dataclass(frozen=True, slots=True)
class RootRefused:
    """Files that claim to be the root's came, and TUF does not believe them; what was trusted stays.

    Attributes:
        detail: why, in TUF's words.
    """

    refusal: Refusal
    detail: str


class ClockSource(StrEnum):
    """Where a second opinion about the time comes from."""

    NTP = "ntp"
    RTC = "rtc"
    RDS = "rds"
    CELLULAR = "cellular"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True)
class ClockRead:
    """A source said what time it was when it was `read` (None: just now); an event may wait long for a slow card."""

    source: ClockSource
    wall: WallMs
    read: MonoMs | None = None


@dataclass(frozen=True, slots=True)
class MediaStored:
    """A programme is complete, verified and durable."""

    digest: str


@dataclass(frozen=True, slots=True)
class MediaFailed:
    """A fetch ended without the media; the bytes so far are kept.

    Attributes:
        damaged: the bytes did not match the digest and were thrown away.
    """

    digest: str
    damaged: bool
    full: bool = False


@dataclass(frozen=True, slots=True)
class MediaLost:
    """A stored programme was found damaged or gone."""

    digest: str


@dataclass(frozen=True, slots=True)
class TalkPressed:
    """The talk button went down; `emergency` when the key switch is on."""

    emergency: bool


@dataclass(frozen=True, slots=True)
class TalkReleased:
    """The talk button went up."""


@dataclass(frozen=True, slots=True)
class StopPressed:
    """Somebody at the device pressed stop."""


@dataclass(frozen=True, slots=True)
class MessagePressed:
    """Somebody at the device pressed the button of a stored message, 1 to 3; what it means is signed."""

    number: int


@dataclass(frozen=True, slots=True)
class PartJudged:
    """The board's own watch looked at a part; told first of all, and at each change.

    Attributes:
        detail: for the technician, with the figure that was measured.
    """

    part: BoardPart
    healthy: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FmSignalMeasured:
    """The tuner's reading on a frequency.

    Attributes:
        rssi_dbuv: signal strength in dB above 1 microvolt.
        pi: RDS programme identity as four hexadecimal digits, or None while none is decoded.
    """

    frequency_khz: int
    rssi_dbuv: int
    pi: str | None


@dataclass(frozen=True, slots=True)
class SoundStarted:
    """The first sample of an output left."""

    key: str
    wall: WallMs


@dataclass(frozen=True, slots=True)
class SoundEnded:
    """An output ended; superseded outputs end when the next one begins.

    Attributes:
        began: when its first sample left.
        level_cdb: mean level of what left, in hundredths of dBFS.
        reason: `complete` when the source came to its end, `source_failed` when it broke.
    """

    key: str
    began: WallMs
    wall: WallMs
    level_cdb: int
    reason: EndReason
    output_level_cdb: int | None = None


@dataclass(frozen=True, slots=True)
class SoundFailing:
    """Its source gives no more; `SoundRecovered` follows, or `SoundEnded` when what is held has sounded."""

    key: str


@dataclass(frozen=True, slots=True)
class SoundRecovered:
    """The source that was failing gives sound again, and nothing was missed."""

    key: str


@dataclass(frozen=True, slots=True)
class LevelMeasured:
    """About once a second while the amplifier is on: level at the bus, and at the amplifier if the board measures."""

    wall: WallMs
    level_cdb: int
    output_level_cdb: int | None = None


@dataclass(frozen=True, slots=True)
class CardChanged:
    """The sound card vanished or came back."""

    present: bool


@dataclass(frozen=True, slots=True)
class StateSaveFailed:
    """What the last decision wanted to store could not be made durable; that decision had no effect."""

    detail: str


Event = (
    Booted
    | Ticked
    | LinkChanged
    | EnvelopeReceived
    | ParcelReceived
    | LiveSegmentReceived
    | AttestationReceived
    | RootReceived
    | RootRefused
    | ClockRead
    | MediaStored
    | MediaFailed
    | MediaLost
    | TalkPressed
    | TalkReleased
    | StopPressed
    | MessagePressed
    | PartJudged
    | FmSignalMeasured
    | SoundStarted
    | SoundEnded
    | SoundFailing
    | SoundRecovered
    | LevelMeasured
    | CardChanged
    | StateSaveFailed
)
