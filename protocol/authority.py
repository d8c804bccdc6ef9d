"""Decides whether a document carries enough authority: one check, used by device, controller and signer.

The order is trust.md's: type known, signatures, (payload read), scope, verb, epoch, life of the grants. Life of the
document itself, its addressee and replays depend on who asks, and are checked by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.clock import WallMs
from protocol.denial import Denial
from protocol.document import KINDS, Kind, OperatorDocument, check_size, kind_of, read, required_verb
from protocol.envelope import Envelope
from protocol.errors import DocumentError, Refusal
from protocol.grants import ANCHOR_ID, Anchor, Grants, HeldGrant, chain, check_signatures, held_anchor, is_superseded
from protocol.keys import key_id
from protocol.units import covers

_PLACE = {one: place for place, one in enumerate(Refusal)}
_PLACE[Refusal.GRANT_RENEWED] = _PLACE[Refusal.GRANT_DENIED] - 1
"""How far a grant came. With one key in a grant and in its renewal, what is wrong with the renewal is what counts."""
Denied = Mapping[str, int]
"""Lowest epoch still accepted from each grantor, by `grantor_id`."""


@dataclass(frozen=True, slots=True)
class Authorised:
    """A document whose authority was found, and under which grant.

    Attributes:
        grant: digest of the grant, or `anchor`.
    """

    kind: Kind
    document: OperatorDocument
    digest: str
    holder: str
    signers: frozenset[str]
    grant: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a document is judged against.

    Attributes:
        wall: the present, or None when no clock is believed: then the life of grants is not judged, and the caller
            must not obey anything whose life matters.
        denied: see `Denied`.
        past: the document was in force before: a grant that was renewed since still counts for it.
    """

    anchor: Anchor
    grants: Grants
    wall: WallMs | None
    denied: Denied
    past: bool = False


def authorise(
    envelope: Envelope,
    *,
    anchor: Anchor,
    grants: Grants,
    wall: WallMs | None,
    denied: Denied,
    past: bool = False,
) -> Authorised:
    """Finds a grant that allows the document; for the arguments see `Standing`.

    Raises:
        DocumentError: the refusal of the grant that came furthest, so the reason shown is the one that mattered.
    """
    kind = kind_of(envelope)
    if KINDS[kind].verb is None:
        raise DocumentError(Refusal.UNKNOWN_TYPE, f"{kind} is not signed under a grant")
    check_size(kind, envelope)
    against = Standing(anchor, grants, wall, denied, past)
    named = {one.key_id for one in envelope.signatures}
    candidates = [held for held in grants.values() if named & {key_id(key) for key in held.grant.keys}]
    failures = [DocumentError(Refusal.UNKNOWN_KEY, ", ".join(sorted(named))[:64])]
    for held in (*candidates, held_anchor(anchor)):
        try:
            return _try(envelope, kind, held, against)
        except DocumentError as error:
            failures.append(error)
    raise max(failures, key=lambda failure: _PLACE[failure.refusal])


def _try(envelope: Envelope, kind: Kind, held: HeldGrant, against: Standing) -> Authorised:
    grant = held.grant
    signers = check_signatures(envelope, grant.keys, grant.threshold)
    document = read(envelope)
    assert isinstance(document, OperatorDocument), "kinds with a verb are signed under a grant"
    if not covers(grant.scope, document.scope):
        raise DocumentError(Refusal.OUT_OF_SCOPE, f"{document.scope} is not within {grant.scope}")
    verb = required_verb(kind, document)
    if verb not in grant.verbs:
        raise DocumentError(Refusal.VERB_NOT_GRANTED, verb)
    if isinstance(document, Denial) and not may_deny(document, held, against.grants):
        raise DocumentError(Refusal.VERB_NOT_GRANTED, f"{grant.holder} does not deny for {document.holder}"[:200])
    check_standing(held, against)
    return Authorised(kind, document, envelope.digest, grant.holder, signers, held.digest)


def may_deny(denial: Denial, held: HeldGrant, grants: Grants) -> bool:
    """The grantor itself, or one above it: by a wider scope, or in its own chain where the scope is the same."""
    if held.digest == ANCHOR_ID or denial.may_come_from(scope=held.grant.scope, holder=held.grant.holder):
        return True
    named = (one for one in grants.values() if (one.grant.scope, one.grant.holder) == (denial.scope, denial.holder))
    return any(held in (chain(one, grants) or ()) for one in named)


def check_standing(held: HeldGrant, against: Standing) -> None:
    """Whether a grant, and every one above it, stands.

    Raises:
        DocumentError: GRANT_WITHOUT_PARENT, GRANT_DENIED, GRANT_EXPIRED or GRANT_RENEWED.
    """
    if held.digest == ANCHOR_ID:
        return
    links = chain(held, against.grants)
    if links is None:
        raise DocumentError(Refusal.GRANT_WITHOUT_PARENT, held.grant.holder)
    for link in links:
        if link.grant.epoch < against.denied.get(link.grantor, 0):
            raise DocumentError(Refusal.GRANT_DENIED, link.grant.holder)
        if against.wall is not None and not link.grant.not_before <= against.wall < link.grant.expires:
            raise DocumentError(Refusal.GRANT_EXPIRED, link.grant.holder)
    if not against.past and is_superseded(held, against.grants, against.wall):
        raise DocumentError(Refusal.GRANT_RENEWED, held.grant.holder)
