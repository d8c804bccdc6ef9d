"""Whether a signed envelope is accepted, kept as partly signed, or refused. Pure.

The controller judges as a device would, so that nothing is stored that devices refuse. Its word makes nothing play:
every device judges again by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from controller.signing.domain import DocumentState
from protocol.alert import Cancel
from protocol.authority import Denied, Standing, authorise, check_standing, may_deny
from protocol.clock import WallMs
from protocol.denial import Denial, grantor_id
from protocol.document import KINDS, Document, Kind, OperatorDocument, kind_of, read, required_verb
from protocol.envelope import Envelope
from protocol.errors import DocumentError, Refusal
from protocol.grants import Anchor, Grant, Grants, HeldGrant, accept_grant, chain, held_anchor
from protocol.limits import CLOCK_SKEW_MS_MAX
from protocol.units import covers


@dataclass(frozen=True, slots=True)
class Authority:
    """What envelopes are verified against.

    Attributes:
        denied: lowest epoch that still counts of each grantor.
    """

    anchor: Anchor
    grants: Grants
    denied: Denied = field(default_factory=dict)

    def standing(self, now: WallMs, *, past: bool = False) -> Standing:
        """The same as the protocol has it."""
        return Standing(self.anchor, self.grants, now, self.denied, past)


@dataclass(frozen=True, slots=True)
class Judgement:
    """An envelope that is worth storing.

    Attributes:
        holder: whose grant authorised it, or will when the others have signed.
        signers: public keys whose signatures hold.
        threshold: how many of them it takes.
        office: for a grant, its office; else empty.
    """

    kind: Kind
    document: OperatorDocument | Grant
    digest: str
    holder: str
    signers: frozenset[str]
    threshold: int
    office: str = ""

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
        found = authorise(
            envelope, anchor=authority.anchor, grants=authority.grants, wall=now, denied=authority.denied
        )
        judgement = Judgement(kind, found.document, found.digest, found.holder, found.signers, len(found.signers))
    except DocumentError as error:
        partly = _partly_signed(envelope, kind, authority, now)
        if partly is None:
            raise error from None
        judgement = partly
    _check_life(judgement.document, now)
    return judgement


def check_not_denied(envelope: Envelope, authority: Authority, now: WallMs) -> None:
    """Of a document that was accepted before. What ended, was renewed or replaced since is still known; what was
    denied since is refused as if it came for the first time.

    Raises:
        DocumentError: GRANT_DENIED.
    """
    try:
        judge(envelope, authority, now)
    except DocumentError as error:
        if error.refusal is Refusal.GRANT_DENIED:
            raise


def _judge_grant(envelope: Envelope, authority: Authority, now: WallMs) -> Judgement:
    try:
        held = accept_grant(envelope, authority.anchor, authority.grants)
    except DocumentError as error:
        if error.refusal is not Refusal.THRESHOLD_NOT_MET:
            raise
        held = _grant_partly_signed(envelope, authority)
    above = parent_of(held.grant, authority)
    _check_grant_stands(held, above, authority, now)
    signers = envelope.signers(above.grant.keys)
    threshold = above.grant.threshold
    return Judgement(Kind.GRANT, held.grant, held.digest, held.grant.holder, signers, threshold, office=held.office)


def _grant_partly_signed(envelope: Envelope, authority: Authority) -> HeldGrant:
    grant = read(envelope)
    assert isinstance(grant, Grant), "its signatures were counted, so it was read"
    above = parent_of(grant, authority).grant
    return HeldGrant(envelope.digest, grant, grantor_id(above.scope, above.holder))


def _check_grant_stands(held: HeldGrant, above: HeldGrant, authority: Authority, now: WallMs) -> None:
    """A grant may begin later; those above it stand now, and neither it nor they are denied."""
    grant = held.grant
    if grant.epoch < authority.denied.get(held.grantor, 0):
        raise DocumentError(Refusal.GRANT_DENIED, grant.holder)
    if grant.expires <= now:
        raise DocumentError(Refusal.GRANT_EXPIRED, grant.holder)
    check_standing(above, authority.standing(now, past=True))
    if chain(held, {**authority.grants, held.digest: held}) is None:
        raise DocumentError(Refusal.GRANT_WIDER_THAN_PARENT, "the chain is too long")


def parent_of(grant: Grant, authority: Authority) -> HeldGrant:
    """The grant above, or the anchor."""
    return authority.grants.get(grant.parent) or held_anchor(authority.anchor)


def _partly_signed(envelope: Envelope, kind: Kind, authority: Authority, now: WallMs) -> Judgement | None:
    """Finds a grant that would allow the document if more of its holders signed."""
    for held in (*authority.grants.values(), held_anchor(authority.anchor)):
        grant = held.grant
        signers = envelope.signers(grant.keys)
        if not 0 < len(signers) < grant.threshold or not _stands(held, authority, now):
            continue
        document = read(envelope)
        assert isinstance(document, OperatorDocument), "kinds with a verb are signed under a grant"
        if _allows(held, kind, document, authority.grants):
            return Judgement(kind, document, envelope.digest, grant.holder, signers, grant.threshold)
    return None


def _stands(held: HeldGrant, authority: Authority, now: WallMs) -> bool:
    try:
        check_standing(held, authority.standing(now))
    except DocumentError:
        return False
    return True


def _allows(held: HeldGrant, kind: Kind, document: OperatorDocument, grants: Grants) -> bool:
    grant = held.grant
    if isinstance(document, Denial) and not may_deny(document, held, grants):
        return False
    return covers(grant.scope, document.scope) and required_verb(kind, document) in grant.verbs


def _check_life(document: Document, now: WallMs) -> None:
    assert isinstance(document, OperatorDocument), "grants and freshness have rules of their own"
    if document.issued > now + CLOCK_SKEW_MS_MAX:
        raise DocumentError(Refusal.NOT_YET_VALID, str(document.issued))
    expires: WallMs | None = getattr(document, "expires", None)
    if expires is not None and expires <= now:
        raise DocumentError(Refusal.EXPIRED, str(expires))


def living(authority: Authority, now: WallMs) -> dict[str, HeldGrant]:
    """Grants that still matter, parents before children: newest of an office, or carrying one that is.

    What is denied, over, or replaced with nothing left below it is of no use to a device. One that begins later is.
    """
    against = authority.standing(now, past=True)
    standing = [held for held in authority.grants.values() if _begins(held, against)]
    speaking: dict[str, int] = {}
    for held in standing:
        if held.grant.not_before <= now:
            speaking[held.office] = max(held.grant.serial, speaking.get(held.office, 0))
    kept: dict[str, HeldGrant] = {}
    for held in standing:
        if held.grant.serial >= speaking.get(held.office, 0):
            kept |= {link.digest: link for link in chain(held, authority.grants) or ()}
    depth = {digest: len(chain(held, authority.grants) or ()) for digest, held in kept.items()}
    return dict(sorted(kept.items(), key=lambda pair: (depth[pair[0]], pair[1].grant.scope, pair[1].grant.holder)))


def _begins(held: HeldGrant, against: Standing) -> bool:
    """Stands now, or will when its time comes."""
    wall = against.wall
    assert wall is not None, "the controller knows the time"
    links = chain(held, against.grants)
    if links is None or any(link.grant.epoch < against.denied.get(link.grantor, 0) for link in links):
        return False
    return all(wall < link.grant.expires for link in links)


def newest_of_office(authority: Authority, office: str) -> HeldGrant | None:
    """The grant of an office with the highest serial."""
    held = (one for one in authority.grants.values() if one.office == office)
    return max(held, key=lambda one: one.grant.serial, default=None)
