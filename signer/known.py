"""What this signer believes: anchor, grants, denials and assignments, each verified by itself.

Nothing falls back: the newest serial of an office speaks, deny epochs only rise, and of the words about a loudspeaker
the newest counts. What was accepted once is judged by the day it was issued, because the grant it was made under may
have ended since; a grant that its grantor took back counts for nothing, also afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from protocol.assignment import Assignment
from protocol.authority import Standing, authorise, check_standing
from protocol.clock import WallMs
from protocol.denial import Denial, Denied, RootWord
from protocol.document import Kind, kind_of, read
from protocol.envelope import Envelope
from protocol.errors import DocumentError, Refusal
from protocol.grants import ANCHOR_ID, Anchor, HeldGrant, accept_all, accept_grant, held_anchor

TAKEN_KINDS = frozenset({Kind.GRANT, Kind.DENIAL, Kind.ASSIGNMENT})
"""Kinds that a signer learns from, besides those it signs."""


@dataclass(frozen=True, slots=True)
class Known:
    """One state of knowledge.

    Attributes:
        denied: lowest epoch still accepted from each grantor, by `grantor_id`.
        assignments: words about loudspeakers, oldest first.
        refused: envelopes that do not hold, with the reason.
    """

    anchor: Anchor
    grants: Mapping[str, HeldGrant] = field(default_factory=dict)
    denied: Mapping[str, int] = field(default_factory=dict)
    denials: tuple[Denial, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    refused: tuple[tuple[Envelope, Refusal], ...] = ()

    def standing(self, wall: WallMs | None, *, past: bool = False) -> Standing:
        """What a document is judged against."""
        return Standing(self.anchor, self.grants, wall, self.denied, past)

    def objection(self, held: HeldGrant, wall: WallMs | None, *, past: bool = False) -> Refusal | None:
        """Why a grant does not speak; None when it does."""
        try:
            check_standing(held, self.standing(wall, past=past))
        except DocumentError as error:
            return error.refusal
        return None

    def held(self, digest: str) -> HeldGrant | None:
        """A grant, or the anchor, by its digest."""
        return self.grants.get(digest) or (held_anchor(self.anchor) if digest == ANCHOR_ID else None)

    def all_held(self) -> tuple[HeldGrant, ...]:
        """Every grant, and the anchor as the widest."""
        return (*self.grants.values(), held_anchor(self.anchor))

    def verdict(self, envelope: Envelope, *, wall: WallMs) -> Refusal | None:
        """What a device would say to it; None when it would obey."""
        try:
            if kind_of(envelope) is Kind.GRANT:
                _accept(envelope, self, wall)
            else:
                authorise(envelope, anchor=self.anchor, grants=self.grants, wall=wall, denied=self.denied)
        except DocumentError as error:
            return error.refusal
        return None


def _accept(envelope: Envelope, known: Known, wall: WallMs) -> None:
    """A renewal that begins tomorrow is judged by its first day."""
    held = accept_grant(envelope, known.anchor, known.grants)
    with_it = {**known.grants, held.digest: held}
    check_standing(held, Standing(known.anchor, with_it, WallMs(max(wall, held.grant.not_before)), known.denied))


def believe(anchor: Anchor, envelopes: Iterable[Envelope], *, root: RootWord | None = None) -> Known:
    """Judges everything that is stored, whatever its order."""
    sorted_out: dict[Kind, list[Envelope]] = {kind: [] for kind in TAKEN_KINDS}
    for envelope in envelopes:
        sorted_out[kind_of(envelope)].append(envelope)
    grants, left = accept_all(sorted_out[Kind.GRANT], anchor, {})
    refused = [(one, _refusal(one, anchor, grants)) for one in left]
    denials, bad = _denials(sorted_out[Kind.DENIAL], anchor, grants)
    denied = _epochs((*denials, *(root.denied if root else ())))
    assignments, worse = _assignments(sorted_out[Kind.ASSIGNMENT], Known(anchor, grants, denied))
    return Known(anchor, grants, denied, denials, assignments, (*refused, *bad, *worse))


def _refusal(envelope: Envelope, anchor: Anchor, grants: Mapping[str, HeldGrant]) -> Refusal:
    try:
        accept_grant(envelope, anchor, grants)
    except DocumentError as error:
        return error.refusal
    raise AssertionError("what was left over is refused")


Refused = list[tuple[Envelope, Refusal]]


def _denials(
    envelopes: Iterable[Envelope], anchor: Anchor, grants: Mapping[str, HeldGrant]
) -> tuple[tuple[Denial, ...], Refused]:
    found: list[Denial] = []
    refused: Refused = []
    for envelope in envelopes:
        try:
            # Its date is not judged: it was when it was taken, and a word that takes power away does not wear out.
            made = authorise(envelope, anchor=anchor, grants=grants, wall=None, denied={}, past=True)
        except DocumentError as error:
            refused.append((envelope, error.refusal))
        else:
            assert isinstance(made.document, Denial), "sorted by kind"
            found.append(made.document)
    return tuple(found), refused


def _epochs(words: Iterable[Denial | Denied]) -> dict[str, int]:
    epochs: dict[str, int] = {}
    for word in words:
        epochs[word.grantor] = max(word.epoch, epochs.get(word.grantor, 0))
    return epochs


def _assignments(envelopes: Iterable[Envelope], known: Known) -> tuple[tuple[Assignment, ...], Refused]:
    found: list[Assignment] = []
    refused: Refused = []
    for envelope in envelopes:
        try:
            document = read(envelope)
            assert isinstance(document, Assignment), "sorted by kind"
            authorise(
                envelope,
                anchor=known.anchor,
                grants=known.grants,
                wall=document.issued,
                denied=known.denied,
                past=True,
            )
        except DocumentError as error:
            refused.append((envelope, error.refusal))
        else:
            found.append(document)
    return tuple(sorted(found, key=lambda one: one.issued)), refused
