"""What a device tells: receipts, status, as-run records and faults. Unsigned; nothing is obeyed because of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.errors import Refusal
from protocol.limits import CONFIRMED_MAX, REPORT_LEVELS_MAX
from protocol.units import UnitPath

LEVEL_SILENCE_CDB = -12_000
"""The level reported for digital silence, in hundredths of dBFS."""


class Standing(StrEnum):
    """How far a document has come on one device."""

    RECEIVED = "received"
    READY = "ready"
    SOUNDING = "sounding"
    HEARD = "heard"
    UNHEARD = "unheard"
    REFUSED = "refused"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One step of one document on one device.

    Attributes:
        document: digest of the envelope's signed bytes.
        item: id of the schedule's item, or None when the whole document is meant.
        refusal: why, when the standing is refused; `detail` names the place for a developer.
    """

    device: str
    document: str
    kind: str
    standing: Standing
    wall: WallMs
    item: str | None = None
    refusal: Refusal | None = None
    detail: str | None = None


class EndReason(StrEnum):
    """Why a sound ended."""

    COMPLETE = "complete"
    SUPERSEDED = "superseded"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    WINDOW_CLOSED = "window_closed"
    SOURCE_FAILED = "source_failed"


@dataclass(frozen=True, slots=True)
class AsRun:
    """What sounded, why, from when to when, and how loud it was measured.

    Attributes:
        id: unique on the device; the controller keeps each once.
        rung: rung of the ladder, 1 to 8.
        document, item, start: the occurrence; None for the microphone and FM fallback. A stored message names its
            configuration and `message-<n>`, and no start.
        source: digest of the media, frequency in kHz, beginning of a web radio's address, or `microphone`.
        level_cdb: mean level at the bus in hundredths of dBFS; `output_level_cdb` at the amplifier, if measured.
        stopped_by: who stopped it, when someone did.
    """

    id: str
    device: str
    rung: int = field(metadata=bounded(low=1, high=8))
    source: str
    began: WallMs
    ended: WallMs
    end_reason: EndReason
    level_cdb: int = field(metadata=bounded(low=LEVEL_SILENCE_CDB, high=0))
    output_level_cdb: int | None = field(default=None, metadata=bounded(low=LEVEL_SILENCE_CDB, high=0))
    document: str | None = None
    item: str | None = None
    start: WallMs | None = None
    lost_ms: int = 0
    stopped_by: str | None = None


class FaultCode(StrEnum):
    """What can be wrong, known on the device within 30 s (behaviour.md, section 7)."""

    MEDIA_MISSING = "media_missing"
    MEDIA_DAMAGED = "media_damaged"
    SOUND_MISSING = "sound_missing"
    SOUND_UNEXPECTED = "sound_unexpected"
    PLAYER_FAILED = "player_failed"
    CARD_LOST = "card_lost"
    FM_REFUSED = "fm_refused"
    TALK_STUCK = "talk_stuck"
    CLOCK_NOT_TRUSTED = "clock_not_trusted"
    SCHEDULE_EXPIRED = "schedule_expired"
    HEAD_STALE = "head_stale"
    DOCUMENT_WITHHELD = "document_withheld"
    STORAGE_FULL = "storage_full"
    STATE_DAMAGED = "state_damaged"
    LIVE_STALLED = "live_stalled"
    STREAM_LOST = "stream_lost"
    MESSAGE_MISSING = "message_missing"
    LINE_FAULT = "line_fault"
    POWER_LOW = "power_low"
    GUARDIAN_LOST = "guardian_lost"
    TUNER_LOST = "tuner_lost"
    CLOCK_CHIP_LOST = "clock_chip_lost"
    METER_LOST = "meter_lost"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that began, or ended when `ended` is set."""

    device: str
    code: FaultCode
    began: WallMs
    detail: str = ""
    ended: WallMs | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A second of sound: rung of the ladder and mean level in hundredths of dBFS."""

    wall: WallMs
    rung: int = field(metadata=bounded(low=1, high=9))
    level_cdb: int = field(metadata=bounded(low=LEVEL_SILENCE_CDB, high=0))


@dataclass(frozen=True, slots=True)
class InForce:
    """A document that a device obeys now."""

    scope: UnitPath
    kind: str
    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Status:
    """How a device is. Sent when something changes, and as a heartbeat.

    Attributes:
        sounding: what sounds: alert, item, frequency or `message-<n>`; None in silence.
        clock: `none`, `attested` or `agreed`.
        media_held, media_wanted: programmes stored and programmes needed.
        levels: one entry for each second since the last status, newest last.
    """

    device: str
    unit: UnitPath
    wall: WallMs
    rung: int = field(metadata=bounded(low=1, high=9))
    level_cdb: int = field(metadata=bounded(low=LEVEL_SILENCE_CDB, high=0))
    clock: str
    agent_version: str
    boot_id: str
    media_held: int
    media_wanted: int
    sounding: str | None = None
    in_force: tuple[InForce, ...] = field(default=(), metadata=bounded(count_max=64))
    faults: tuple[FaultCode, ...] = ()
    levels: tuple[Level, ...] = field(default=(), metadata=bounded(count_max=REPORT_LEVELS_MAX))


Report = Receipt | Status | AsRun | Fault


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The controller's word to a device that it need not keep these reports any longer.

    Attributes:
        reports: `report_mark` of each.
    """

    reports: tuple[str, ...] = field(metadata=bounded(count_max=CONFIRMED_MAX, chars_max=32))


def report_mark(payload: bytes) -> str:
    """How a confirmation names a report: the first half of the SHA-256 of its bytes as they were sent."""
    return hashlib.sha256(payload).hexdigest()[:32]
