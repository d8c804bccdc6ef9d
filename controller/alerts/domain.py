"""What an emergency is made of, where it counts as one unit's or as wide, and what became of it. Pure.

Actual, drill and test never look, read or sound alike: a drill and a test say what they are before anything else, in
the signed text itself, so that no device has to be trusted to add it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from protocol.alert import Alert, Part, Tone
from protocol.bulletin import MediaRef
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.limits import ALERT_LIFETIME_MS_MAX
from protocol.report import Standing
from protocol.units import UnitPath, ancestors, covers

DURATION_MS_MIN: Final = 30_000
DURATION_MS_MAX: Final = ALERT_LIFETIME_MS_MAX
SIGN_WITHIN_MS: Final = 5 * 60_000
"""The signer refuses an emergency that is older: it would say yesterday's danger."""


class AlertKind(StrEnum):
    """Chosen first, and never changed afterwards."""

    ACTUAL = "actual"
    DRILL = "drill"
    TEST = "test"

    @property
    def document_kind(self) -> Kind:
        """Its own payload type inside the signed bytes."""
        return _DOCUMENT_KINDS[self]


_DOCUMENT_KINDS: Final = {
    AlertKind.ACTUAL: Kind.ALERT,
    AlertKind.DRILL: Kind.ALERT_DRILL,
    AlertKind.TEST: Kind.ALERT_TEST,
}

ANNOUNCEMENTS: Final = {
    AlertKind.DRILL: "Diễn tập, diễn tập. Đây là thông báo diễn tập, không phải tình huống thật.",
    AlertKind.TEST: "Thử loa, thử loa. Đây là thông báo thử hệ thống loa, bà con không cần làm gì.",
}
"""Spoken by the device before everything else."""


def kind_of_document(kind: Kind | str) -> AlertKind:
    """What an alert's document kind means."""
    return next(one for one, named in _DOCUMENT_KINDS.items() if named == kind)


class AlertState(StrEnum):
    """Where an emergency stands, as stored. Whether it has run out is told by the clock."""

    DRAFTED = "drafted"
    PARTIAL = "partial"
    SENT = "sent"
    CANCELLED = "cancelled"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator asks for.

    Attributes:
        media: sound made ahead; without it, or until it has arrived, the device speaks the text by itself.
    """

    kind: AlertKind
    targets: tuple[UnitPath, ...]
    text: str
    language: str = "vi"
    media: MediaRef | None = None
    severity: int = 3
    tone: Tone = Tone.TWO_TONE
    duration_ms: int = 10 * 60_000


def outermost(targets: Iterable[UnitPath]) -> tuple[UnitPath, ...]:
    """Targets without those that lie in another one."""
    chosen = set(targets)
    return tuple(sorted(one for one in chosen if not any(above in chosen for above in ancestors(one)[:-1])))


def common_scope(targets: Iterable[UnitPath]) -> UnitPath | None:
    """The single target, or the nearest unit above all of them; None when they have nothing in common."""
    shared: tuple[UnitPath, ...] | None = None
    for target in targets:
        line = ancestors(target)
        shared = line if shared is None else tuple(one for one in shared if one in line)
    return shared[-1] if shared else None


def is_wide(targets: Iterable[UnitPath]) -> bool:
    """Whether it takes the verb `alert.wide`, and with it a second person."""
    return len(tuple(targets)) > 1


def make_alert(wanted: Wanted, *, id: str, sequence: int, now: WallMs) -> Alert:
    """The document that is signed.

    Raises:
        ValueError: it breaks a rule of the protocol.
    """
    targets = outermost(wanted.targets)
    scope = common_scope(targets)
    if scope is None:
        raise ValueError("the targets have no unit in common")
    parts = [Part("vi", ANNOUNCEMENTS[wanted.kind])] if wanted.kind in ANNOUNCEMENTS else []
    parts.append(Part(wanted.language, wanted.text, wanted.media))
    return Alert(
        scope=scope,
        id=id,
        sequence=sequence,
        issued=now,
        expires=WallMs(now + wanted.duration_ms),
        severity=wanted.severity,
        targets=targets,
        parts=tuple(parts),
        tone=wanted.tone,
    )


def wanted_again(alert: Alert, kind: AlertKind) -> Wanted:
    """The same once more, for a renewal."""
    part = alert.parts[-1]
    return Wanted(
        kind,
        alert.targets,
        part.text,
        part.language,
        part.media,
        severity=alert.severity,
        tone=alert.tone,
        duration_ms=alert.expires - alert.issued,
    )


def is_active(state: AlertState, *, expires: WallMs, now: WallMs) -> bool:
    """Whether it may be sounding somewhere."""
    return state is AlertState.SENT and now < expires


class Progress(StrEnum):
    """What one device has made of an emergency, in an operator's words."""

    NO_WORD = "no_word"
    SILENT = "silent"
    SOUNDING = "sounding"
    HEARD = "heard"
    REFUSED = "refused"
    CANCELLED = "cancelled"


_PROGRESS: Final[Mapping[str, Progress]] = {
    Standing.RECEIVED: Progress.SILENT,
    Standing.READY: Progress.SILENT,
    Standing.SOUNDING: Progress.SOUNDING,
    Standing.HEARD: Progress.HEARD,
    Standing.UNHEARD: Progress.SILENT,
    Standing.REFUSED: Progress.REFUSED,
    Standing.CANCELLED: Progress.CANCELLED,
}


def progress(standing: str | None, *, sounds: bool = False) -> Progress:
    """What a stored standing means for an emergency; a device that got it and does not sound is silent.

    Args:
        sounds: whether the device's last status says that this emergency is what sounds. It is repeated: also one
            that was heard once may go on.
    """
    come = Progress.NO_WORD if standing is None else _PROGRESS[standing]
    return Progress.SOUNDING if sounds and come is not Progress.CANCELLED else come


@dataclass(frozen=True, slots=True)
class Tally:
    """How far an emergency has come.

    Attributes:
        sent: loudspeakers it is meant for.
        received: how many have confirmed that it arrived, whatever they did with it.
        reasons: why it was refused, by name.
    """

    sent: int
    received: int
    by_progress: Mapping[Progress, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)

    def count(self, progress: Progress | str) -> int:
        """How many loudspeakers are there."""
        return self.by_progress.get(Progress(progress), 0)


def tally(come: Iterable[Progress], *, refusals: Iterable[str | None] = ()) -> Tally:
    """Counts the devices that are addressed, and the reasons of those that refused."""
    counts = Counter(come)
    received = counts.total() - counts[Progress.NO_WORD]
    return Tally(counts.total(), received, dict(counts), dict(Counter(one for one in refusals if one)))


def inside(scopes: Iterable[UnitPath], targets: Iterable[UnitPath]) -> bool:
    """Whether every target lies in one of the scopes."""
    held = tuple(scopes)
    return all(any(covers(scope, target) for scope in held) for target in targets)
