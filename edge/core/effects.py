"""What shall be done, told by the core in the imperative. The runner carries the effects out in their order."""

from __future__ import annotations

from dataclasses import dataclass

from edge.core.guarding_plan import GuardingPlan
from edge.core.output import Output
from protocol.bulletin import MediaRef
from protocol.clock import MonoMs
from protocol.report import Report
from protocol.units import UnitPath


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A signed document to keep, under a key that its successor replaces."""

    key: str
    envelope: bytes


@dataclass(frozen=True, slots=True)
class SaveState:
    """Make this durable before anything that follows. One transaction.

    Attributes:
        registers: the small state, whole.
        put, drop: signed documents to write and to forget.
    """

    registers: bytes
    put: tuple[StoredDocument, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchMedia:
    """Bring a programme in; resumes what is half there. Urgent ones go before all others."""

    media: MediaRef
    urgent: bool


@dataclass(frozen=True, slots=True)
class DeleteMedia:
    """A programme that no document names any more."""

    digest: str


@dataclass(frozen=True, slots=True)
class SwitchOutput:
    """Let this sound from `at` on; a former switch that has not happened yet is forgotten."""

    output: Output
    at: MonoMs


@dataclass(frozen=True, slots=True)
class FeedLive:
    """Verified live sound for the session's output: Opus packets of 20 ms."""

    session_id: str
    counter: int
    packets: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MonitorFm:
    """Measure this frequency about once a second from now on; None stops."""

    frequency_khz: int | None


@dataclass(frozen=True, slots=True)
class ShiftWall:
    """Wall time is so far from the system's: the sound path places and stamps by the believed hour from now on."""

    shift_ms: int


@dataclass(frozen=True, slots=True)
class AskAttestation:
    """Ask the controller for the time with a fresh nonce."""


@dataclass(frozen=True, slots=True)
class Relocate:
    """The device belongs to another place now: listen there."""

    place: UnitPath


@dataclass(frozen=True, slots=True)
class MuteAmplifier:
    """Hold the amplifier off, or let it follow the output again: sound that nobody ordered was measured."""

    muted: bool


@dataclass(frozen=True, slots=True)
class ArmGuardian:
    """What the guardian does while the computer is dead, from now on; tried again until it has taken it."""

    plan: GuardingPlan


@dataclass(frozen=True, slots=True)
class PublishReport:
    """Tell the controller; all but a status wait on disk while the link is down."""

    report: Report


Effect = (
    SaveState
    | FetchMedia
    | DeleteMedia
    | SwitchOutput
    | FeedLive
    | MonitorFm
    | ShiftWall
    | AskAttestation
    | Relocate
    | MuteAmplifier
    | ArmGuardian
    | PublishReport
)
