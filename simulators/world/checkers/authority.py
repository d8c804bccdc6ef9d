"""Trust.md once more, from what was truly signed: whether what a device was shown carries enough authority for it.

Written without the core's and the protocol's own judgement, so a mistake there is not repeated here. Signatures are
compared with the ones that the offices made, which is cheaper than verifying them and just as strict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from protocol.alert import Alert, Cancel
from protocol.audible_config import AudibleConfig
from protocol.clock import WallMs
from protocol.denial import Denial, grantor_id
from protocol.document import Kind
from protocol.grants import ANCHOR_ID, Anchor, Grant
from protocol.keys import key_id
from protocol.units import UnitPath, covers
from protocol.verbs import Verb
from simulators.world.checkers.wire import Seen
from simulators.world.office import Signed

_VERBS = {
    Kind.SCHEDULE: Verb.SCHEDULE,
    Kind.AUDIBLE_CONFIG: Verb.CONFIGURE,
    Kind.ALERT: Verb.ALERT,
    Kind.ALERT_DRILL: Verb.ALERT,
    Kind.ALERT_TEST: Verb.ALERT,
    Kind.CANCEL: Verb.ALERT,
    Kind.STOP: Verb.STOP,
    Kind.LIVE_SESSION: Verb.LIVE,
    Kind.ASSIGNMENT: Verb.ASSIGN,
    Kind.DENIAL: Verb.GRANT,
}


@dataclass(slots=True)
class Standing:
    """Grants that a device holds, and what was taken back.

    Attributes:
        grants: by digest.
        denied: lowest epoch that still counts, by grantor.
    """

    anchor: Anchor
    grants: dict[str, Signed] = field(default_factory=dict)
    denied: dict[str, int] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def _ids(keys: tuple[str, ...]) -> frozenset[str]:
    return frozenset(key_id(key) for key in keys)


def true_keys(seen: Seen, signed: Signed) -> frozenset[str]:
    """Ids of the keys whose signatures, as they came, are those that were really made."""
    made = signed.envelope.signatures
    return frozenset(one.key_id for one in seen.envelope.signatures if one in made)


def grant_holds(seen: Seen, signed: Signed, against: Standing) -> bool:
    """Whether a grant lies inside its parent and was signed by it."""
    grant = signed.document
    assert isinstance(grant, Grant), "a grant"
    keys = true_keys(seen, signed)
    if grant.parent == ANCHOR_ID:
        anchor = against.anchor
        return len(keys & _ids(anchor.keys)) >= anchor.threshold and covers(anchor.scope, grant.scope)
    above = against.grants.get(grant.parent)
    if above is None or not isinstance(above.document, Grant):
        return False
    parent = above.document
    return (
        Verb.GRANT in parent.verbs
        and len(keys & _ids(parent.keys)) >= parent.threshold
        and covers(parent.scope, grant.scope)
        and set(grant.verbs) <= set(parent.verbs)
        and grant.depth < parent.depth
        and parent.not_before <= grant.not_before
        and grant.expires <= parent.expires
    )


def grantor_of(grant: Grant, grants: Mapping[str, Signed]) -> str:
    """Who gave it, as denials name it."""
    if grant.parent == ANCHOR_ID:
        return ""
    above = grants.get(grant.parent)
    assert above is not None and isinstance(above.document, Grant), "a held grant's parent is held"
    return grantor_id(above.document.scope, above.document.holder)


def stands(signed: Signed, against: Standing, wall: WallMs | None) -> bool:
    """Whether a grant and all above it are undenied and, where the hour is known, alive."""
    link: Signed | None = signed
    while link is not None:
        grant = link.document
        assert isinstance(grant, Grant), "a grant"
        if grant.parent == ANCHOR_ID:
            grantor, above = grantor_id(against.anchor.scope, "anchor"), None
        elif grant.parent in against.grants:
            grantor, above = grantor_of(grant, against.grants), against.grants[grant.parent]
        else:
            return False
        if grant.epoch < against.denied.get(grantor, 0):
            return False
        if wall is not None and not grant.not_before <= wall < grant.expires:
            return False
        link = above
    return True


def _speaks(signed: Signed, against: Standing, wall: WallMs | None) -> bool:
    """Of an office the newest serial that has begun speaks."""
    grant = signed.document
    assert isinstance(grant, Grant), "a grant"
    office = (_parent_office(grant, against), grant.scope, grant.holder)
    for one in against.grants.values():
        other = one.document
        assert isinstance(other, Grant), "a grant"
        newer = other.serial > grant.serial and (wall is None or other.not_before <= wall)
        if newer and (_parent_office(other, against), other.scope, other.holder) == office:
            return False
    return True


def _parent_office(grant: Grant, against: Standing) -> str:
    return (
        "" if grant.parent == ANCHOR_ID or grant.parent not in against.grants else grantor_of(grant, against.grants)
    )


def allows(keys: frozenset[str], signed: Signed, against: Standing, *, wall: WallMs | None, past: bool) -> bool:
    """Whether a held grant, or the anchor itself, lets these keys say this.

    Args:
        past: it was in force before: a grant that was renewed since, or has ended since, still counts.
    """
    document = signed.document
    assert not isinstance(document, Grant), "grants are judged by `grant_holds`"
    verb = _VERBS[signed.kind]
    if isinstance(document, Alert | Cancel) and len(document.targets) > 1:
        verb = Verb.ALERT_WIDE
    if len(keys & _ids(against.anchor.keys)) >= against.anchor.threshold:
        return True
    return any(_may(one, keys, document.scope, verb) for one in _candidates(document, against, wall=wall, past=past))


def _candidates(document: object, against: Standing, *, wall: WallMs | None, past: bool) -> Iterator[Signed]:
    for one in against.grants.values():
        grant = one.document
        assert isinstance(grant, Grant), "a grant"
        if isinstance(document, Denial) and grant.scope == document.scope and grant.holder != document.holder:
            continue  # a denial comes from the grantor itself, or from one above it
        if stands(one, against, None if past else wall) and (past or _speaks(one, against, wall)):
            yield one


def _may(held: Signed, keys: frozenset[str], scope: UnitPath, verb: Verb) -> bool:
    grant = held.document
    assert isinstance(grant, Grant), "a grant"
    enough = len(keys & _ids(grant.keys)) >= grant.threshold
    return enough and covers(grant.scope, scope) and verb in grant.verbs


def version_of(signed: Signed) -> int:
    """Of a schedule or of rules."""
    document = signed.document
    return document.version if isinstance(document, AudibleConfig) else int(getattr(document, "version", 0))
