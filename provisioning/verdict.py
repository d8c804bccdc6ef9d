"""What a device would say to the documents on a stick, by its own rules and an anchor, before anybody climbs up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from protocol.alert import Alert
from protocol.assignment import Assignment
from protocol.authority import Denied, Standing, authorise, check_standing
from protocol.clock import WallMs
from protocol.denial import Denial
from protocol.document import Document, Kind, OperatorDocument, read
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError, Refusal
from protocol.freshness import Attestation
from protocol.grants import ANCHOR_ID, Anchor, Grant, Grants, accept_all, accept_grant, check_signatures
from protocol.limits import CLOCK_SKEW_MS_MAX
from protocol.live import LiveSession
from protocol.units import UnitPath, addresses, covers

_NUMBERS = ("version", "serial", "epoch", "sequence")


@dataclass(frozen=True, slots=True)
class Judged:
    """One document as it lies on the stick.

    Attributes:
        number: its version, serial, epoch or sequence.
        office: whose word it is, as the anchor says; for a grant, who gave it.
        holder: for a grant, whom it is for.
        signers: ids of the keys that are named beside the signatures.
        refusal: why every device refuses it; None when it is good, or when there was no anchor to judge by.
        for_place: whether it concerns the place that was asked about; None when none was.
    """

    kind: str
    digest: str
    scope: str = ""
    number: int | None = None
    issued: int | None = None
    expires: int | None = None
    office: str = ""
    holder: str = ""
    signers: tuple[str, ...] = ()
    refusal: Refusal | None = None
    detail: str = ""
    for_place: bool | None = None


@dataclass(frozen=True, slots=True)
class Judge:
    """What is known: with the stick's own grants and denials, as a device knows them when it has read it."""

    anchor: Anchor
    wall: WallMs
    grants: Grants = field(default_factory=dict)
    denied: Denied = field(default_factory=dict)

    @classmethod
    def informed(cls, anchor: Anchor, wall: WallMs, envelopes: Sequence[Envelope]) -> Judge:
        """Knows every grant and denial among these that holds."""
        grants, _left = accept_all([one for one in envelopes if one.kind == Kind.GRANT], anchor, {})
        denied: dict[str, int] = {}
        for envelope in (one for one in envelopes if one.kind == Kind.DENIAL):
            try:
                said = authorise(envelope, anchor=anchor, grants=grants, wall=wall, denied={}).document
            except DocumentError:
                continue
            if isinstance(said, Denial):
                denied[said.grantor] = max(said.epoch, denied.get(said.grantor, 0))
        return cls(anchor, wall, grants, denied)

    def office(self, envelope: Envelope, document: Document) -> str:
        """Whose word a document is.

        Raises:
            DocumentError: why a device refuses it.
        """
        if isinstance(document, Grant):
            return self._grantor(envelope)
        if isinstance(document, Attestation):
            raise DocumentError(Refusal.UNKNOWN_TYPE, "it answers one question and does not travel")
        if not isinstance(document, OperatorDocument):
            check_signatures(envelope, self.anchor.freshness_keys, 1)
            return "freshness"
        found = authorise(envelope, anchor=self.anchor, grants=self.grants, wall=self.wall, denied=self.denied)
        if isinstance(document, Alert | LiveSession):
            raise DocumentError(Refusal.NOT_BY_STICK, found.kind)
        return found.holder

    def _grantor(self, envelope: Envelope) -> str:
        held = accept_grant(envelope, self.anchor, self.grants)
        check_standing(held, Standing(self.anchor, self.grants, self.wall, self.denied, past=True))
        parent = held.grant.parent
        return parent if parent == ANCHOR_ID else self.grants[parent].grant.holder

    def check_life(self, document: Document) -> None:
        """Whether it has begun and not ended.

        Raises:
            DocumentError: NOT_YET_VALID or EXPIRED.
        """
        issued, expires = getattr(document, "issued", 0), getattr(document, "expires", None)
        if issued > self.wall + CLOCK_SKEW_MS_MAX:
            raise DocumentError(Refusal.NOT_YET_VALID, str(issued))
        if expires is not None and expires <= self.wall:
            raise DocumentError(Refusal.EXPIRED, str(expires))


def judge_all(
    packed: Iterable[bytes], *, anchor: Anchor | None, wall: WallMs, place: UnitPath | None
) -> tuple[tuple[Judged, ...], tuple[Envelope, ...]]:
    """Judges each document, and gives those that are envelopes at all."""
    opened = [_unpacked(one) for one in packed]
    envelopes = tuple(one for one in opened if isinstance(one, Envelope))
    judge = Judge.informed(anchor, wall, envelopes) if anchor else None
    return tuple(_judged(one, judge, place) for one in opened), envelopes


def _unpacked(packed: bytes) -> Envelope | DocumentError:
    try:
        return unpack(packed)
    except DocumentError as error:
        return error


def _judged(envelope: Envelope | DocumentError, judge: Judge | None, place: UnitPath | None) -> Judged:
    if isinstance(envelope, DocumentError):
        return Judged("?", "", refusal=envelope.refusal, detail=envelope.detail)
    signers = tuple(one.key_id for one in envelope.signatures)
    try:
        document = read(envelope)
    except DocumentError as error:
        return Judged(envelope.kind, envelope.digest, signers=signers, refusal=error.refusal, detail=error.detail)
    office, failure = "", None
    if judge is not None:
        try:
            office = judge.office(envelope, document)
            judge.check_life(document)
        except DocumentError as error:
            failure = error
    return Judged(
        envelope.kind,
        envelope.digest,
        scope=getattr(document, "scope", ""),
        number=next((getattr(document, name) for name in _NUMBERS if hasattr(document, name)), None),
        issued=getattr(document, "issued", getattr(document, "not_before", None)),
        expires=getattr(document, "expires", None),
        office=office,
        holder=document.holder if isinstance(document, Grant) else "",
        signers=signers,
        refusal=failure.refusal if failure else None,
        detail=failure.detail if failure else "",
        for_place=None if place is None else _concerns(document, place),
    )


def _concerns(document: Document, place: UnitPath) -> bool:
    if isinstance(document, Assignment):
        return any(place in (one.place, one.former) for one in document.placements)
    targets: tuple[UnitPath, ...] = getattr(document, "targets", ())
    if targets:
        return addresses(targets, place)
    scope: UnitPath | None = getattr(document, "scope", None)
    return scope is not None and covers(scope, place)
