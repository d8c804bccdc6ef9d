"""Where a signed document stands, what grows in it, who signed it, and what a new schedule changes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protocol.audible_config import AudibleConfig
from protocol.denial import Denial
from protocol.document import Document, Kind
from protocol.envelope import Envelope, Signature
from protocol.grants import Grant
from protocol.keys import key_id
from protocol.limits import SIGNATURES_MAX
from protocol.schedule import Item, Schedule
from protocol.units import UnitPath

VERSIONED: Final = (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG)
AT_ONCE: Final = (Kind.ALERT, Kind.ALERT_DRILL, Kind.ALERT_TEST, Kind.CANCEL, Kind.STOP, Kind.LIVE_SESSION)
"""Kinds that go out on the alert topic, not in a parcel."""


class DocumentState(StrEnum):
    """Where a signed document stands in the controller."""

    PARTIAL = "partial"
    PREPARED = "prepared"
    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Urgent:
    """A complete document of the alert topic, ready to be sent to each place it addresses."""

    digest: str
    targets: tuple[UnitPath, ...]
    payload: bytes


def targets_of(document: Document) -> tuple[UnitPath, ...]:
    """The places a document addresses; none for those that are in force by their scope."""
    targets: tuple[UnitPath, ...] = getattr(document, "targets", ())
    return targets


def version_of(document: Document) -> int | None:
    """What grows from one document of a kind to the next: version, serial or epoch."""
    if isinstance(document, Grant):
        return document.serial
    if isinstance(document, Denial):
        return document.epoch
    return document.version if isinstance(document, Schedule | AudibleConfig) else None


def joined(envelope: Envelope, former: Envelope | None) -> Envelope:
    """The envelope with the signatures that were there before; a newer one of the same key replaces the former."""
    if former is None:
        return envelope
    named: dict[str, Signature] = {one.key_id: one for one in (*former.signatures, *envelope.signatures)}
    return Envelope(envelope.payload_type, envelope.payload, tuple(named.values())[-SIGNATURES_MAX:])


def only_true_signatures(envelope: Envelope, signers: Iterable[str]) -> Envelope:
    """Without signatures that do not hold: strangers cannot fill the envelope before the second signer comes."""
    names = {key_id(key) for key in signers}
    kept = tuple(one for one in envelope.signatures if one.key_id in names)
    return Envelope(envelope.payload_type, envelope.payload, kept)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a new schedule changes, by title."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reordered: bool = False

    @property
    def any(self) -> bool:
        """Whether there is something to sign."""
        return bool(self.added or self.removed or self.changed or self.reordered)


def changes(former: Schedule | None, items: Iterable[Item], precedence: tuple[str, ...]) -> Changes:
    """Compares the items to be signed with those in force."""
    before: Mapping[str, Item] = {item.id: item for item in former.items} if former else {}
    after = {item.id: item for item in items}
    return Changes(
        added=tuple(item.title for name, item in after.items() if name not in before),
        removed=tuple(item.title for name, item in before.items() if name not in after),
        changed=tuple(item.title for name, item in after.items() if name in before and before[name] != item),
        reordered=precedence != (former.precedence if former else ()),
    )
