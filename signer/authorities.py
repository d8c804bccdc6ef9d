"""Who of the people here may sign a document, and how many signatures it still needs.

The signer keeps its own copy of the anchor and of the grants, so the controller cannot talk it into showing a
signature as sufficient. What it finds before signing is checked again with `protocol.authority` afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protocol.authority import may_deny
from protocol.clock import DAY_MS, WallMs
from protocol.denial import Denial
from protocol.document import Kind, required_verb
from protocol.envelope import Envelope
from protocol.grants import Grant, HeldGrant, lies_inside
from protocol.units import covers
from protocol.verbs import Verb
from signer.expiry import step_of
from signer.key_ring import HeldKey
from signer.known import Known
from signer.signable import Signable


@dataclass(frozen=True, slots=True)
class Signatory:
    """Someone who may sign a document, under one grant.

    Attributes:
        office: the grant's holder, such as a commune's station.
        have, need: signatures under that grant now, and its threshold.
        signed: whether this person's signature is already there.
        ends, days: when the grant ends, and how many whole days are left.
    """

    key: HeldKey
    office: str
    have: int
    need: int
    signed: bool
    ends: WallMs
    days: int

    @property
    def over(self) -> bool:
        """Never: an ended grant allows nothing."""
        return False

    @property
    def step(self) -> int | None:
        """Which warning of its end is due; see `signer.expiry`."""
        return step_of(self.days)

    @property
    def completes(self) -> bool:
        """Whether this signature is the last one needed."""
        return self.have + 1 >= self.need


def signatories(
    kind: Kind, document: Signable, envelope: Envelope, *, keys: Iterable[HeldKey], known: Known, wall: WallMs
) -> tuple[Signatory, ...]:
    """Whose key lies here and who may sign this, each under the grant that is nearest to done and lasts longest."""
    possible = [*_allowing(kind, document, known, wall)]
    made = (_best(key, possible, envelope, wall) for key in keys)
    return tuple(one for one in made if one is not None)


def _allowing(kind: Kind, document: Signable, known: Known, wall: WallMs) -> Iterator[Grant]:
    for held in known.all_held():
        if _allows(held, kind, document, known) and known.objection(held, wall) is None:
            yield held.grant


def _allows(held: HeldGrant, kind: Kind, document: Signable, known: Known) -> bool:
    grant = held.grant
    if isinstance(document, Grant):
        return held.digest == document.parent and Verb.GRANT in grant.verbs and lies_inside(document, grant)
    if isinstance(document, Denial) and not may_deny(document, held, known.grants):
        return False
    return required_verb(kind, document) in grant.verbs and covers(grant.scope, document.scope)


def _best(key: HeldKey, possible: list[Grant], envelope: Envelope, wall: WallMs) -> Signatory | None:
    found = []
    for grant in possible:
        if key.public not in grant.keys:
            continue
        signed = envelope.signers(grant.keys)
        others = signed - {key.public}
        days = (grant.expires - wall) // DAY_MS
        found.append(
            Signatory(key, grant.holder, len(others), grant.threshold, key.public in signed, grant.expires, days)
        )
    return min(found, key=lambda one: (one.need - one.have, -one.ends), default=None)
