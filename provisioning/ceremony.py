"""Makes anchors and grants: what a key ceremony does at a table, as functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from protocol import codec
from protocol.clock import DAY_MS, WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.errors import DocumentError, Refusal
from protocol.grants import ANCHOR_ID, Anchor, Grant, accept_grant
from protocol.keys import SigningKey
from protocol.units import UnitPath
from protocol.verbs import Verb

OPERATOR_LIFE_MS = 90 * DAY_MS
"""Operators' grants live 30 to 90 days (trust.md)."""


@dataclass(frozen=True, slots=True)
class Office:
    """Who shall be allowed what: one grant before it is signed."""

    holder: str
    scope: UnitPath
    verbs: tuple[Verb, ...]
    keys: tuple[str, ...]
    threshold: int = 1


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
) -> Envelope:
    """An operator's grant straight below the anchor, with the signatures of those who are at the table."""
    grant = Grant(
        scope=office.scope,
        holder=office.holder,
        verbs=office.verbs,
        keys=office.keys,
        threshold=office.threshold,
        depth=0,
        not_before=not_before,
        expires=WallMs(not_before + life_ms),
        epoch=0,
        serial=serial,
        parent=ANCHOR_ID,
    )
    return sign(Kind.GRANT, codec.encode(grant), signers)


def check_complete(envelope: Envelope, anchor: Anchor) -> bool:
    """Whether devices would accept the grant; False when it only waits for more signatures.

    Raises:
        DocumentError: they would refuse it whoever else signs.
    """
    try:
        accept_grant(envelope, anchor, {})
    except DocumentError as error:
        if error.refusal is Refusal.THRESHOLD_NOT_MET:
            return False
        raise
    return True
