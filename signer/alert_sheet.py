"""What an emergency, its cancel, a stop or a live session says."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.alert import Alert, Cancel, Stop
from protocol.bulletin import MediaRef
from protocol.clock import WallMs
from protocol.live import LiveSession
from signer import wording
from signer.i18n import gettext as _
from signer.places import Places, Reach


@dataclass(frozen=True, slots=True)
class PartLine:
    """The message in one language."""

    language: str
    text: str
    media: MediaRef | None


@dataclass(frozen=True, slots=True)
class AlertSheet:
    """An emergency, drill or test in words."""

    number: int
    severity: str
    parts: tuple[PartLine, ...]
    tone: str
    repeat: str
    ends: str
    lasts: str
    reach: Reach


def alert_sheet(alert: Alert, *, places: Places, now: WallMs) -> AlertSheet:
    """Puts an emergency into words."""
    parts = tuple(PartLine(wording.language_words(part.language), part.text, part.media) for part in alert.parts)
    tone = _("%(tone)s for %(length)s") % {
        "tone": wording.tone_words(alert.tone),
        "length": wording.length(alert.tone_ms),
    }
    return AlertSheet(
        number=alert.sequence,
        severity=wording.severity_words(alert.severity),
        parts=parts,
        tone=tone,
        repeat=_("again and again with %(gap)s of silence between") % {"gap": wording.length(alert.gap_ms)},
        ends=wording.moment(alert.expires),
        lasts=wording.length(max(0, alert.expires - max(now, alert.issued))),
        reach=places.reach(alert.targets),
    )


@dataclass(frozen=True, slots=True)
class ActSheet:
    """A document that is one act: rows of a label and its value."""

    rows: tuple[tuple[str, str], ...]
    reach: Reach


def act_sheet(document: Cancel | Stop | LiveSession, *, places: Places) -> ActSheet:
    """Puts a cancel, a stop or a live session into words."""
    if isinstance(document, Cancel):
        rows = [(_("Emergency that is cancelled"), document.alert_id)]
    elif isinstance(document, Stop):
        rows = [(_("Silent until"), wording.moment(document.until)), (_("Number"), str(document.sequence))]
    else:
        rows = [
            (_("Class"), wording.class_words(document.bulletin_class)),
            (_("Key of the studio"), document.key[:16]),
            (_("Number"), str(document.sequence)),
        ]
    return ActSheet((*rows, (_("Valid until"), wording.moment(document.expires))), places.reach(document.targets))
