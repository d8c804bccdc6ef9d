"""Who may say what, where: grants from the anchor down to an operator.

A grant lies inside its parent in scope (segment by segment), verbs, depth and time, and names that one parent by
its digest. A device keeps only the grants of its own ancestors, whatever the size of the nation.

Renewal: grants of the same grantor for the same holder and scope are one office. Of an office the newest serial that
has begun speaks. Older ones say nothing any more themselves; they only carry what was granted under them, until they
expire or are denied (protocol/denial.py).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from protocol import codec
from protocol.clock import WallMs
from protocol.codec import bounded
from protocol.denial import grantor_id
from protocol.envelope import Envelope, payload_type
from protocol.errors import DocumentError, Refusal
from protocol.keys import key_id, public_key
from protocol.limits import (
    ALERT_ENVELOPE_BYTES_MAX,
    GRANT_CHAIN_MAX,
    INTEGER_MAX,
    KEYS_MAX,
    LOG_KEY_BYTES,
    UNIT_DEPTH_MAX,
)
from protocol.units import UnitPath, covers, unit_path
from protocol.verbs import Verb

ANCHOR_ID = "anchor"
_LOG_KEY = re.compile(f"[0-9a-f]{{{2 * LOG_KEY_BYTES}}}")


@dataclass(frozen=True, slots=True)
class Anchor:
    """The province's keys, pinned on a device when it is enrolled. The root of every grant below.

    Attributes:
        freshness_keys: the controller's keys for attestations and heads; they authorise no sound.
        log_key: X25519 public key to which logs are sealed that leave a device on a stick; None: they stay.
    """

    scope: UnitPath
    keys: tuple[str, ...] = field(metadata=bounded(count_max=KEYS_MAX))
    threshold: int = field(metadata=bounded(low=1, high=KEYS_MAX))
    freshness_keys: tuple[str, ...] = field(metadata=bounded(count_max=KEYS_MAX))
    log_key: str | None = None

    def __post_init__(self) -> None:
        unit_path(self.scope)
        _check_keys(self.keys, self.threshold)
        for key in self.freshness_keys:
            public_key(key)
        if self.log_key is not None and not _LOG_KEY.fullmatch(self.log_key):
            raise ValueError("a log key is 64 lower-case hexadecimal digits")


def read_anchor(data: bytes) -> Anchor:
    """Reads an anchor file.

    Raises:
        DocumentError: it is not one.
    """
    return codec.decode(Anchor, data, bytes_max=ALERT_ENVELOPE_BYTES_MAX)


def _check_keys(keys: tuple[str, ...], threshold: int) -> None:
    for key in keys:
        public_key(key)
    if len(set(keys)) != len(keys):
        raise ValueError("a key is listed twice")
    if threshold > len(keys):
        raise ValueError("fewer keys than the threshold asks for")


@dataclass(frozen=True, slots=True)
class Grant:
    """Lets the holders of some keys act in a part of the tree.

    Attributes:
        parent: digest of the parent grant's envelope, or `anchor`.
        depth: how many more grants may follow below this one; 0 for an operator.
        epoch: refused when the grantor's deny epoch has passed it.
        serial: grows with each renewal of the office; the newest counts.
        holder: a name for people, such as the station's or the operator's.
    """

    scope: UnitPath
    holder: str
    verbs: tuple[Verb, ...] = field(metadata=bounded(count_max=len(Verb)))
    keys: tuple[str, ...] = field(metadata=bounded(count_max=KEYS_MAX))
    threshold: int = field(metadata=bounded(low=1, high=KEYS_MAX))
    depth: int = field(metadata=bounded(high=UNIT_DEPTH_MAX))
    not_before: WallMs
    expires: WallMs
    epoch: int
    serial: int
    parent: str

    def __post_init__(self) -> None:
        unit_path(self.scope)
        _check_keys(self.keys, self.threshold)
        if self.not_before >= self.expires:
            raise ValueError("a grant ends after it begins")


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant whose signatures were verified, under its own digest.

    Attributes:
        grantor: `grantor_id` of the parent: whose deny epoch counts.
        signers: the parent's keys that signed it.
    """

    digest: str
    grant: Grant
    grantor: str
    signers: frozenset[str] = frozenset()

    @property
    def office(self) -> str:
        """Names grantor, scope and holder together, in 32 hexadecimal digits: what a renewal keeps."""
        grant = self.grant
        return hashlib.sha256(f"{self.grantor}\n{grant.scope}\n{grant.holder}".encode()).hexdigest()[:32]


Grants = Mapping[str, HeldGrant]


def accept_grant(envelope: Envelope, anchor: Anchor, held: Grants) -> HeldGrant:
    """Verifies a grant against its parent.

    Raises:
        DocumentError: with the refusal; malformed payloads are found before the parent is known, because the
            parent's name is in the payload. Nothing of the payload is used before its signatures hold.
    """
    if envelope.payload_type != payload_type("grant"):
        raise DocumentError(Refusal.UNKNOWN_TYPE, envelope.payload_type)
    grant = codec.decode(Grant, envelope.payload, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
    above = _parent_of(grant, anchor, held)
    if Verb.GRANT not in above.verbs:
        raise DocumentError(Refusal.VERB_NOT_GRANTED, "the parent may not grant")
    signers = check_signatures(envelope, above.keys, above.threshold)
    if not lies_inside(grant, above):
        raise DocumentError(Refusal.GRANT_WIDER_THAN_PARENT, grant.holder)
    return HeldGrant(envelope.digest, grant, grantor_id(above.scope, above.holder), signers)


def accept_all(
    envelopes: Iterable[Envelope], anchor: Anchor, held: Grants
) -> tuple[dict[str, HeldGrant], list[Envelope]]:
    """All that hold, parents before children whatever their order; and the envelopes that are left over."""
    found, waiting = dict(held), [*envelopes]
    while True:
        left: list[Envelope] = []
        for envelope in waiting:
            try:
                made = accept_grant(envelope, anchor, found)
            except DocumentError:
                left.append(envelope)
            else:
                found[made.digest] = made
        if len(left) in (0, len(waiting)):
            return found, left
        waiting = left


def _parent_of(grant: Grant, anchor: Anchor, held: Grants) -> Grant:
    if grant.parent == ANCHOR_ID:
        return as_grant(anchor)
    if grant.parent not in held:
        raise DocumentError(Refusal.GRANT_WITHOUT_PARENT, grant.parent[:64])
    return held[grant.parent].grant


@lru_cache(maxsize=8)  # checking the keys again costs more than verifying an emergency
def as_grant(anchor: Anchor) -> Grant:
    """The anchor seen as the widest grant."""
    return Grant(
        scope=anchor.scope,
        holder="anchor",
        verbs=tuple(Verb),
        keys=anchor.keys,
        threshold=anchor.threshold,
        depth=GRANT_CHAIN_MAX,
        not_before=WallMs(0),
        expires=WallMs(INTEGER_MAX),
        epoch=0,
        serial=0,
        parent=ANCHOR_ID,
    )


@lru_cache(maxsize=8)
def held_anchor(anchor: Anchor) -> HeldGrant:
    """The anchor in the form in which grants are held; it was given by nobody."""
    return HeldGrant(ANCHOR_ID, as_grant(anchor), grantor="")


def lies_inside(grant: Grant, above: Grant) -> bool:
    """Whether a grant gives nothing that its parent does not have: scope, verbs, depth and time."""
    return (
        covers(above.scope, grant.scope)
        and set(grant.verbs) <= set(above.verbs)
        and grant.depth < above.depth
        and above.not_before <= grant.not_before
        and grant.expires <= above.expires
    )


def check_signatures(envelope: Envelope, keys: Iterable[str], threshold: int) -> frozenset[str]:
    """The distinct keys that signed.

    Raises:
        DocumentError: UNKNOWN_KEY when none of the keys is even named, BAD_SIGNATURE when one is and none holds,
            THRESHOLD_NOT_MET when too few hold.
    """
    keys = tuple(keys)
    signed = envelope.signers(keys)
    if not signed:
        raise DocumentError(missing_signature(envelope, keys), envelope.payload_type)
    if len(signed) < threshold:
        raise DocumentError(Refusal.THRESHOLD_NOT_MET, f"{len(signed)} of {threshold}")
    return signed


def missing_signature(envelope: Envelope, keys: Iterable[str]) -> Refusal:
    """Tells a key nobody knows from a signature that is false."""
    known = {key_id(key) for key in keys}
    named = any(one.key_id in known for one in envelope.signatures)
    return Refusal.BAD_SIGNATURE if named else Refusal.UNKNOWN_KEY


def chain(held: HeldGrant, grants: Grants) -> tuple[HeldGrant, ...] | None:
    """The grant and its parents up to below the anchor; None when a parent is gone or the chain is too long."""
    links = [held]
    while links[-1].grant.parent != ANCHOR_ID:
        above = grants.get(links[-1].grant.parent)
        if above is None or len(links) >= GRANT_CHAIN_MAX:
            return None
        links.append(above)
    return tuple(links)


def is_superseded(held: HeldGrant, grants: Grants, wall: WallMs | None) -> bool:
    """Whether a newer serial of the same office has begun: then this one says nothing any more."""
    return any(
        one.grant.serial > held.grant.serial
        and one.grant.scope == held.grant.scope
        and one.office == held.office
        and (wall is None or one.grant.not_before <= wall)
        for one in grants.values()
    )
