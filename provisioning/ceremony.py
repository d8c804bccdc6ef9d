"""Makes anchors, grants, denials and assignments: what a key ceremony does at a table, as functions.

A chain is made from the top: anchor, then the province's office, below it the communes' stations, below them the
operators. Each grant names its parent by digest and lies inside it; what would reach beyond its end is cut there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from protocol import codec
from protocol.assignment import Assignment, Placement
from protocol.authority import authorise, may_deny
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial
from protocol.document import Kind, kind_of, read, required_verb
from protocol.envelope import Envelope, sign
from protocol.errors import DocumentError, Refusal
from protocol.grants import ANCHOR_ID, Anchor, Grant, HeldGrant, accept_all, accept_grant, held_anchor
from protocol.keys import SigningKey, key_id
from protocol.units import UnitPath, covers
from protocol.verbs import Verb
from provisioning.errors import ProvisioningError
from provisioning.i18n import gettext as _

OPERATOR_LIFE_MS = 90 * DAY_MS
"""Operators' grants live 30 to 90 days (trust.md)."""


@dataclass(frozen=True, slots=True)
class Office:
    """Who shall be allowed what: one grant before it is signed.

    Attributes:
        depth: how many more grants may follow below; 0 for an operator.
    """

    holder: str
    scope: UnitPath
    verbs: tuple[Verb, ...]
    keys: tuple[str, ...]
    threshold: int = 1
    depth: int = 0


def make_anchor(scope: UnitPath, *, keys: Iterable[str], threshold: int, freshness_keys: Iterable[str]) -> Anchor:
    """The province's keys, to be pinned on devices."""
    return Anchor(scope, tuple(keys), threshold, tuple(freshness_keys))


def make_grant(
    office: Office,
    *,
    signers: Sequence[SigningKey],
    not_before: WallMs,
    life_ms: int = OPERATOR_LIFE_MS,
    serial: int = 1,
    epoch: int = 0,
    parent: HeldGrant | None = None,
) -> Envelope:
    """A grant below the anchor or another grant, with the signatures of those who are at the table."""
    above = parent.grant if parent is not None else None
    grant = Grant(
        scope=office.scope,
        holder=office.holder,
        verbs=office.verbs,
        keys=office.keys,
        threshold=office.threshold,
        depth=office.depth,
        not_before=max(not_before, above.not_before) if above else not_before,
        expires=_until(WallMs(not_before + life_ms), above),
        epoch=epoch,
        serial=serial,
        parent=parent.digest if parent is not None else ANCHOR_ID,
    )
    return sign(Kind.GRANT, codec.encode(grant), signers)


def renew_grant(
    former: Grant,
    *,
    signers: Sequence[SigningKey],
    not_before: WallMs,
    life_ms: int = OPERATOR_LIFE_MS,
    epoch: int | None = None,
    keys: Sequence[str] = (),
    parent: HeldGrant | None = None,
) -> Envelope:
    """The same office with the next serial and a new life; perhaps below a renewed parent, or after a denial.

    Args:
        keys: those who hold it from now on; none when they stay.
    """
    above = parent.grant if parent is not None else None
    grant = replace(
        former,
        not_before=max(not_before, above.not_before) if above else not_before,
        expires=_until(WallMs(not_before + life_ms), above),
        serial=former.serial + 1,
        epoch=former.epoch if epoch is None else epoch,
        keys=tuple(keys) or former.keys,
        parent=former.parent if parent is None else parent.digest,
    )
    return sign(Kind.GRANT, codec.encode(grant), signers)


def _until(expires: WallMs, above: Grant | None) -> WallMs:
    return expires if above is None else min(expires, above.expires)


def make_denial(
    scope: UnitPath, holder: str, *, epoch: int, issued: WallMs, signers: Sequence[SigningKey]
) -> Envelope:
    """Takes back every grant that this grantor gave with a lower epoch; `anchor` is the holder of the anchor."""
    return sign(Kind.DENIAL, codec.encode(Denial(scope, holder, epoch, issued)), signers)


def make_assignment(
    scope: UnitPath, placements: Iterable[Placement], *, issued: WallMs, signers: Sequence[SigningKey]
) -> Envelope:
    """A word on where loudspeakers belong."""
    return sign(Kind.ASSIGNMENT, codec.encode(Assignment(scope, issued, tuple(placements))), signers)


def hold(envelopes: Iterable[Envelope], anchor: Anchor) -> Mapping[str, HeldGrant]:
    """Grants by digest, parents first, each verified up to the anchor.

    Raises:
        DocumentError: one of them does not hold, with its reason.
    """
    held, left = accept_all(envelopes, anchor, {})
    for envelope in left:
        accept_grant(envelope, anchor, held)
    return held


def check_complete(envelope: Envelope, anchor: Anchor, parents: Iterable[Envelope] = ()) -> bool:
    """Whether devices would accept the grant; False when it only waits for more signatures.

    Args:
        parents: all grants between it and the anchor.

    Raises:
        DocumentError: they would refuse it whoever else signs.
    """
    try:
        accept_grant(envelope, anchor, hold(parents, anchor))
    except DocumentError as error:
        if error.refusal is Refusal.THRESHOLD_NOT_MET:
            return False
        raise
    return True


def check_authorised(envelope: Envelope, anchor: Anchor, grants: Iterable[Envelope], *, wall: WallMs) -> bool:
    """The same for a denial or an assignment, which is signed under a grant or by the anchor's holders.

    Raises:
        DocumentError: devices would refuse it whoever else signs.
    """
    held = hold(grants, anchor)
    try:
        authorise(envelope, anchor=anchor, grants=held, wall=wall, denied={})
    except DocumentError as error:
        if error.refusal in (Refusal.THRESHOLD_NOT_MET, Refusal.VERB_NOT_GRANTED) and _waits(envelope, anchor, held):
            return False
        raise
    return True


def _waits(envelope: Envelope, anchor: Anchor, held: Mapping[str, HeldGrant]) -> bool:
    """Whether some office that could allow it lacks signatures only."""
    named = {one.key_id for one in envelope.signatures}
    offices = offices_for(envelope, anchor, held)
    return any(0 < len(named & {key_id(key) for key in one.keys}) < one.threshold for one in offices)


def offices_for(envelope: Envelope, anchor: Anchor, held: Mapping[str, HeldGrant]) -> tuple[Grant, ...]:
    """The offices whose holders' signatures count under it: its grantor, or whoever has the verb for that place.

    Raises:
        DocumentError: its parent is not held.
        ProvisioningError: it is something that is not signed at a table, such as an emergency.
    """
    every = (*held.values(), held_anchor(anchor))
    document = read(envelope)
    if isinstance(document, Grant):
        above = tuple(one.grant for one in every if one.digest == document.parent)
        if not above:
            raise DocumentError(Refusal.GRANT_WITHOUT_PARENT, document.parent[:64])
        return above
    if not isinstance(document, Denial | Assignment):
        words = _("Only grants, denials and assignments are signed here; everything else is signed in the signer.")
        raise ProvisioningError(words)
    return tuple(one.grant for one in every if _allows(one, kind_of(envelope), document, held))


def _allows(held: HeldGrant, kind: Kind, document: Denial | Assignment, grants: Mapping[str, HeldGrant]) -> bool:
    if isinstance(document, Denial) and not may_deny(document, held, grants):
        return False
    return required_verb(kind, document) in held.grant.verbs and covers(held.grant.scope, document.scope)
