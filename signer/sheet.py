"""Chooses how a document is put into words, and what must be heard before it is signed."""

from __future__ import annotations

from aiohttp import web

from protocol.alert import Alert
from protocol.audible_config import AudibleConfig
from protocol.bulletin import MediaRef
from protocol.document import Kind
from protocol.schedule import Schedule
from protocol.units import UnitPath, ancestors
from signer.alert_sheet import ActSheet, AlertSheet, act_sheet, alert_sheet
from signer.config_sheet import ConfigSheet, config_sheet
from signer.keys import PEN, PLACES, WALL
from signer.review import Review, media_of
from signer.schedule_sheet import ScheduleSheet, fresh_media, schedule_sheet
from signer.signed_log import SignedLog

Sheet = ScheduleSheet | ConfigSheet | AlertSheet | ActSheet


def sheet_of(request: web.Request, review: Review) -> Sheet:
    """The document in words."""
    places, log, now = request.app[PLACES], request.app[PEN].log, request.app[WALL]()
    document = review.document
    if isinstance(document, Schedule):
        former, config = _former_schedule(review, log), _config_in_force(log, document.scope)
        return schedule_sheet(document, former=former, config=config, places=places, now=now)
    if isinstance(document, AudibleConfig):
        before = _former(review, log)
        return config_sheet(document, former=before if isinstance(before, AudibleConfig) else None, places=places)
    if isinstance(document, Alert):
        return alert_sheet(document, places=places, now=now)
    return act_sheet(document, places=places)


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
