"""Whether a signed envelope is accepted, kept as partly signed, or refused; and what a new schedule changes. Pure.

The controller judges as a device would, so that nothing is stored that devices refuse. Its word makes nothing play:
every device judges again by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from protocol.alert import Cancel
from protocol.audible_config import AudibleConfig
from protocol.authority import authorise
from protocol.clock import WallMs
from protocol.document import KINDS, Document, Kind, OperatorDocument, kind_of, read, required_verb
from protocol.envelope import Envelope, Signature
from protocol.errors import DocumentError, Refusal
from protocol.grants import Anchor, Grant, Grants, accept_grant, as_grant, held_anchor
from protocol.keys import key_id
from protocol.limits import CLOCK_SKEW_MS_MAX, SIGNATURES_MAX
from protocol.schedule import Item, Schedule
from protocol.units import UnitPath, covers

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
class Authority:
    """What envelopes are verified against."""

    anchor: Anchor
    grants: Grants


@dataclass(frozen=True, slots=True)
class Judgement:
    """An envelope that is worth storing.

    Attributes:
        holder: whose grant authorised it, or will when the others have signed.
        signers: public keys whose signatures hold.
        threshold: how many of them it takes.
    """

    kind: Kind
    document: OperatorDocument | Grant
    digest: str
    holder: str
    signers: frozenset[str]
    threshold: int

    @property
    def complete(self) -> bool:
        """Whether enough have signed."""
        return len(self.signers) >= self.threshold

    @property
    def state(self) -> DocumentState:
        """How it is stored: a cancel waits, prepared, for its button."""
        if not self.complete:
            return DocumentState.PARTIAL
        return DocumentState.PREPARED if isinstance(self.document, Cancel) else DocumentState.IN_FORCE


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


def judge(envelope: Envelope, authority: Authority, now: WallMs) -> Judgement:
    """Verifies an envelope as a device would.

    Raises:
        DocumentError: refused, and why.
    """
    kind = kind_of(envelope)
    if kind is Kind.GRANT:
        return _judge_grant(envelope, authority, now)
    if KINDS[kind].verb is None:
        raise DocumentError(Refusal.UNKNOWN_TYPE, f"{kind} does not come by this way")
    try:
        found = authorise(envelope, anchor=authority.anchor, grants=authority.grants, wall=now, denied={})
        judgement = Judgement(kind, found.document, found.digest, found.holder, found.signers, len(found.signers))
    except DocumentError as error:
        partly = _partly_signed(envelope, kind, authority, now)
        if partly is None:
            raise error from None
        judgement = partly
    _check_life(judgement.document, now)
    return judgement


def _judge_grant(envelope: Envelope, authority: Authority, now: WallMs) -> Judgement:
    try:
        held = accept_grant(envelope, authority.anchor, authority.grants)
    except DocumentError as error:
        partly = _grant_partly_signed(envelope, authority) if error.refusal is Refusal.THRESHOLD_NOT_MET else None
        if partly is None:
            raise
        return partly
    if held.grant.expires <= now:
        raise DocumentError(Refusal.GRANT_EXPIRED, held.grant.holder)
    above = _above(held.grant, authority)
    signers = envelope.signers(above.keys)
    return Judgement(Kind.GRANT, held.grant, held.digest, held.grant.holder, signers, above.threshold)


def _grant_partly_signed(envelope: Envelope, authority: Authority) -> Judgement:
    grant = read(envelope)
    assert isinstance(grant, Grant), "its signatures were counted, so it was read"
    above = _above(grant, authority)
    return Judgement(Kind.GRANT, grant, envelope.digest, grant.holder, envelope.signers(above.keys), above.threshold)


def _above(grant: Grant, authority: Authority) -> Grant:
    held = authority.grants.get(grant.parent)
    return held.grant if held else as_grant(authority.anchor)


def _partly_signed(envelope: Envelope, kind: Kind, authority: Authority, now: WallMs) -> Judgement | None:
    """Finds a grant that would allow the document if more of its holders signed."""
    for held in (*authority.grants.values(), held_anchor(authority.anchor)):
        grant = held.grant
        signers = envelope.signers(grant.keys)
        if not 0 < len(signers) < grant.threshold or not grant.not_before <= now < grant.expires:
            continue
        document = read(envelope)
        assert isinstance(document, OperatorDocument), "kinds with a verb are signed under a grant"
        if covers(grant.scope, document.scope) and required_verb(kind, document) in grant.verbs:
            return Judgement(kind, document, envelope.digest, grant.holder, signers, grant.threshold)
    return None


def _check_life(document: Document, now: WallMs) -> None:
    assert isinstance(document, OperatorDocument), "grants and freshness have rules of their own"
    if document.issued > now + CLOCK_SKEW_MS_MAX:
        raise DocumentError(Refusal.NOT_YET_VALID, str(document.issued))
    expires: WallMs | None = getattr(document, "expires", None)
    if expires is not None and expires <= now:
        raise DocumentError(Refusal.EXPIRED, str(expires))


def version_of(document: Document) -> int | None:
    """What grows from one document of a kind to the next: version or serial."""
    if isinstance(document, Grant):
        return document.serial
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
