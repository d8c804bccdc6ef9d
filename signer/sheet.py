"""Chooses how a document is put into words, and what must be heard before it is signed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.alert import Alert
from protocol.assignment import Assignment
from protocol.audible_config import AudibleConfig
from protocol.bulletin import MediaRef
from protocol.clock import WallMs
from protocol.denial import Denial
from protocol.document import Kind
from protocol.grants import Grant
from protocol.schedule import Schedule
from protocol.units import UnitPath, ancestors
from signer.act import Pen
from signer.alert_sheet import ActSheet, AlertSheet, act_sheet, alert_sheet
from signer.assignment_sheet import AssignmentSheet, assignment_sheet
from signer.config_sheet import ConfigSheet, config_sheet
from signer.grant_sheet import DenialSheet, GrantSheet, Names, denial_sheet, grant_sheet
from signer.key_ring import HeldKey
from signer.known import Known
from signer.places import Places
from signer.review import Review, media_of
from signer.schedule_sheet import ScheduleSheet, fresh_media, schedule_sheet
from signer.signed_log import SignedLog

Sheet = ScheduleSheet | ConfigSheet | AlertSheet | ActSheet | GrantSheet | DenialSheet | AssignmentSheet


@dataclass(frozen=True, slots=True)
class Background:
    """What a document is read against: names and loudspeakers, what is known and what was signed here."""

    places: Places
    known: Known
    log: SignedLog
    names: Names
    now: WallMs


def background(pen: Pen, places: Places, *, keys: Iterable[HeldKey], now: WallMs) -> Background:
    """Gathers it at this moment."""
    known = pen.store.known()
    names = {one.key: one.holder for one in pen.log.entries()} | {one.key_id: one.holder for one in keys}
    return Background(places.counted_by(known.assignments), known, pen.log, names, now)


def sheet_of(review: Review, behind: Background) -> Sheet:
    """The document in words."""
    places, log, now, document = behind.places, behind.log, behind.now, review.document
    if isinstance(document, Schedule):
        former, config = _former_schedule(review, log), _config_in_force(log, document.scope)
        return schedule_sheet(document, former=former, config=config, places=places, now=now)
    if isinstance(document, AudibleConfig):
        before = _former(review, log)
        return config_sheet(document, former=before if isinstance(before, AudibleConfig) else None, places=places)
    if isinstance(document, Alert):
        return alert_sheet(document, places=places, now=now)
    if isinstance(document, Grant | Denial | Assignment):
        return _organisation_sheet(document, behind)
    return act_sheet(document, places=places)


def _organisation_sheet(document: Grant | Denial | Assignment, behind: Background) -> Sheet:
    if isinstance(document, Assignment):
        return assignment_sheet(document, places=behind.places)
    if isinstance(document, Denial):
        return denial_sheet(document, known=behind.known, places=behind.places, now=behind.now)
    return grant_sheet(document, known=behind.known, places=behind.places, names=behind.names, now=behind.now)


def needed_media(review: Review, log: SignedLog) -> tuple[MediaRef, ...]:
    """Recordings that must be here and checked before anyone signs."""
    if isinstance(review.document, Schedule):
        return fresh_media(review.document, _former_schedule(review, log))
    return media_of(review.document)


def _former_schedule(review: Review, log: SignedLog) -> Schedule | None:
    former = _former(review, log)
    return former if isinstance(former, Schedule) else None


def _former(review: Review, log: SignedLog) -> object:
    """The last version signed here; not this very one, when a second person signs it."""
    entry = log.newest(review.kind, review.document.scope)
    if entry is None or entry.digest == review.envelope.digest:
        return None
    return log.last_document(review.kind, review.document.scope)


def _config_in_force(log: SignedLog, scope: UnitPath) -> AudibleConfig | None:
    """The nearest rules signed here, for the warning about quiet hours."""
    for unit in reversed(ancestors(scope)):
        found = log.last_document(Kind.AUDIBLE_CONFIG, unit)
        if isinstance(found, AudibleConfig):
            return found
    return None
