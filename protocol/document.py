"""The register of document kinds: payload type to dataclass, the verb it needs, and whether it is heard.

A kind that is not here is refused by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protocol import codec
from protocol.alert import Alert, Cancel, Stop
from protocol.assignment import Assignment
from protocol.audible_config import AudibleConfig
from protocol.checkpoint import Checkpoint
from protocol.denial import Denial
from protocol.envelope import Envelope, payload_type
from protocol.errors import DocumentError, Refusal
from protocol.freshness import Attestation, Head
from protocol.grants import Grant
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX, ENVELOPE_BYTES_MAX
from protocol.live import LiveSession
from protocol.schedule import Schedule
from protocol.verbs import Verb

SpeechDocument = Schedule | AudibleConfig | Alert | Cancel | Stop | LiveSession
OperatorDocument = SpeechDocument | Assignment | Denial
"""Signed under a grant; the last two change who belongs where and who may speak."""
Document = OperatorDocument | Grant | Head | Attestation | Checkpoint


class Kind(StrEnum):
    """Names inside payload types."""

    GRANT = "grant"
    SCHEDULE = "schedule"
    AUDIBLE_CONFIG = "audible-config"
    ALERT = "alert"
    ALERT_DRILL = "alert-drill"
    ALERT_TEST = "alert-test"
    CANCEL = "cancel"
    STOP = "stop"
    LIVE_SESSION = "live-session"
    ASSIGNMENT = "assignment"
    DENIAL = "denial"
    HEAD = "head"
    ATTESTATION = "attestation"
    CHECKPOINT = "checkpoint"


ALERT_KINDS: Final = frozenset({Kind.ALERT, Kind.ALERT_DRILL, Kind.ALERT_TEST})


@dataclass(frozen=True, slots=True)
class KindRule:
    """How documents of a kind are read; the verb is None for grants and freshness, which have rules of their own."""

    document: type[Document]
    verb: Verb | None
    bytes_max: int = ALERT_ENVELOPE_BYTES_MAX


KINDS: Final[dict[Kind, KindRule]] = {
    Kind.GRANT: KindRule(Grant, None),
    Kind.SCHEDULE: KindRule(Schedule, Verb.SCHEDULE, ENVELOPE_BYTES_MAX),
    Kind.AUDIBLE_CONFIG: KindRule(AudibleConfig, Verb.CONFIGURE),
    Kind.ALERT: KindRule(Alert, Verb.ALERT),
    Kind.ALERT_DRILL: KindRule(Alert, Verb.ALERT),
    Kind.ALERT_TEST: KindRule(Alert, Verb.ALERT),
    Kind.CANCEL: KindRule(Cancel, Verb.ALERT),
    Kind.STOP: KindRule(Stop, Verb.STOP),
    Kind.LIVE_SESSION: KindRule(LiveSession, Verb.LIVE),
    Kind.ASSIGNMENT: KindRule(Assignment, Verb.ASSIGN, ENVELOPE_BYTES_MAX),
    Kind.DENIAL: KindRule(Denial, Verb.GRANT),
    Kind.HEAD: KindRule(Head, None),
    Kind.ATTESTATION: KindRule(Attestation, None),
    Kind.CHECKPOINT: KindRule(Checkpoint, None),
}


_NAMED: Final = {payload_type(kind): kind for kind in Kind}


def kind_of(envelope: Envelope) -> Kind:
    """The kind named by the payload type.

    Raises:
        DocumentError: UNKNOWN_TYPE, with the name.
    """
    kind = _NAMED.get(envelope.payload_type)
    if kind is None:
        raise DocumentError(Refusal.UNKNOWN_TYPE, envelope.payload_type)
    return kind


def check_size(kind: Kind, envelope: Envelope) -> None:
    """Refuses a payload that is larger than its kind may be, before anything is computed over it.

    Raises:
        DocumentError: TOO_LARGE.
    """
    size_bytes, bytes_max = len(envelope.payload), KINDS[kind].bytes_max
    if size_bytes > bytes_max:
        raise DocumentError(Refusal.TOO_LARGE, f"{size_bytes} bytes of {kind}, at most {bytes_max}")


def read(envelope: Envelope) -> Document:
    """Reads the payload as its kind; signatures are checked before, by the caller."""
    rule = KINDS[kind_of(envelope)]
    return codec.decode(rule.document, envelope.payload, bytes_max=rule.bytes_max)


def required_verb(kind: Kind, document: OperatorDocument) -> Verb:
    """The verb that a document needs: an alert or its cancel to several units needs the wide one."""
    verb = KINDS[kind].verb
    assert verb is not None, "grants and freshness have rules of their own"
    wide = isinstance(document, Alert | Cancel) and len(document.targets) > 1
    return Verb.ALERT_WIDE if wide else verb
