"""Decides whether a speech document carries enough authority: one check, used by device, controller and signer.

The order is trust.md's: type known, signatures, (payload read), scope, verb, epoch, life of the grants. Life of the
document itself, its addressee and replays depend on who asks, and are checked by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.clock import WallMs
from protocol.document import KINDS, Kind, SpeechDocument, check_size, kind_of, read, required_verb
from protocol.envelope import Envelope
from protocol.errors import DocumentError, Refusal
from protocol.grants import Anchor, Grants, HeldGrant, as_grant, chain, check_signatures
from protocol.keys import key_id
from protocol.units import UnitPath, covers

_ORDER = tuple(Refusal)


@dataclass(frozen=True, slots=True)
class Authorised:
    """A document whose authority was found, and under which grant."""

    kind: Kind
    document: SpeechDocument
    digest: str
    holder: str
    signers: frozenset[str]


def authorise(
    envelope: Envelope,
    *,
    anchor: Anchor,
    grants: Grants,
    wall: WallMs | None,
    denied: Mapping[UnitPath, int],
) -> Authorised:
    """Finds a grant that allows the document.

    Args:
        wall: the present, or None when no clock is believed: then the life of grants is not judged, and the caller
            must not obey anything whose life matters.
        denied: lowest epoch still accepted from the grantor of each scope.

    Raises:
        DocumentError: the refusal of the grant that came furthest, so the reason shown is the one that mattered.
    """
    kind = kind_of(envelope)
    if KINDS[kind].verb is None:
        raise DocumentError(Refusal.UNKNOWN_TYPE, f"{kind} is not speech")
    check_size(kind, envelope)
    named = {one.key_id for one in envelope.signatures}
    candidates = [held for held in grants.values() if named & {key_id(key) for key in held.grant.keys}]
    failures = [DocumentError(Refusal.UNKNOWN_KEY, ", ".join(sorted(named))[:64])]
    for held in (*candidates, HeldGrant("anchor", as_grant(anchor))):
        try:
            return _try(envelope, kind, held, grants, wall, denied)
        except DocumentError as error:
            failures.append(error)
    raise max(failures, key=lambda failure: _ORDER.index(failure.refusal))


def _try(
    envelope: Envelope,
    kind: Kind,
    held: HeldGrant,
    grants: Grants,
    wall: WallMs | None,
    denied: Mapping[UnitPath, int],
) -> Authorised:
    grant = held.grant
    signers = check_signatures(envelope, grant.keys, grant.threshold)
    document = read(envelope)
    assert isinstance(document, SpeechDocument), "kinds with a verb are speech"
    if not covers(grant.scope, document.scope):
        raise DocumentError(Refusal.OUT_OF_SCOPE, f"{document.scope} is not within {grant.scope}")
    verb = required_verb(kind, document)
    if verb not in grant.verbs:
        raise DocumentError(Refusal.VERB_NOT_GRANTED, verb)
    if held.digest != "anchor":
        _check_chain(held, grants, wall, denied)
    return Authorised(kind, document, envelope.digest, grant.holder, signers)


def _check_chain(held: HeldGrant, grants: Grants, wall: WallMs | None, denied: Mapping[UnitPath, int]) -> None:
    links = chain(held, grants)
    if links is None:
        raise DocumentError(Refusal.GRANT_WITHOUT_PARENT, held.grant.holder)
    for link in links:
        if link.grant.epoch < denied.get(link.grant.scope, 0):
            raise DocumentError(Refusal.GRANT_DENIED, link.grant.holder)
        if wall is not None and not link.grant.not_before <= wall < link.grant.expires:
            raise DocumentError(Refusal.GRANT_EXPIRED, link.grant.holder)
