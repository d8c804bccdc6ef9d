"""Which documents are obeyed: trust.md's checks in their order, then high-waters, then the state.

A refusal changes nothing but is told once, with its reason.
"""

from __future__ import annotations

import hashlib
from typing import Final

from edge.core import clock_trust
from edge.core.acceptance import accept, put, remove
from edge.core.at_hand import StickSeen
from edge.core.belonging import take_assignment
from edge.core.change import replace
from edge.core.effects import PublishReport
from edge.core.events import Route
from edge.core.in_force import Accepted
from edge.core.offices import take_denial, take_grant
from edge.core.trust_state import TrustState
from edge.core.turn import Turn
from protocol import codec
from protocol.alert import Alert
from protocol.assignment import Assignment
from protocol.audible_config import AudibleConfig
from protocol.authority import Authorised, authorise
from protocol.clock import WallMs
from protocol.denial import Denial
from protocol.document import KINDS, Kind, kind_of
from protocol.envelope import Envelope, unpack, unpack_alert
from protocol.errors import DocumentError, Refusal
from protocol.freshness import Head
from protocol.grants import check_signatures
from protocol.keys import key_id
from protocol.limits import (
    ALERT_ENVELOPE_BYTES_MAX,
    CLOCK_SKEW_MS_MAX,
    ENVELOPES_IN_PARCEL_MAX,
    PARCEL_BYTES_MAX,
    STOP_MS_MAX,
)
from protocol.live import LiveSession
from protocol.parcel import unpack_parcel
from protocol.report import Receipt, Standing
from protocol.schedule import Schedule
from protocol.units import addresses, covers

REFUSED_REMEMBERED: Final = 64
REFUSALS_TOLD_MAX: Final = 300
REFUSALS_WINDOW_MS: Final = 3_600_000
ORPHANS_MAX: Final = 16
WAITING_BYTES_MAX: Final = 2 * PARCEL_BYTES_MAX


def receive_parcel(turn: Turn, data: bytes, route: Route) -> None:
    """Takes each envelope of a parcel by itself: a bad one does not spoil the rest."""
    try:
        envelopes = unpack_parcel(data)
    except DocumentError as error:
        _refuse(turn, hashlib.sha256(data).hexdigest(), "parcel", error)
        if route is Route.USB:
            turn.change(stick=StickSeen(turn.now.mono, useful=False))
        return
    told = len(turn.effects)
    for envelope in envelopes:
        receive(turn, envelope, route)
    if route is Route.USB:
        _tell_of_stick(turn, data, documents=len(envelopes), since=told)
        turn.change(stick=StickSeen(turn.now.mono, useful=any(_is_taken(turn, one) for one in envelopes)))


def _is_taken(turn: Turn, data: bytes) -> bool:
    """Whether an envelope is in force, brought now or before."""
    try:
        return _is_held(turn.state.trust, unpack(data).digest)
    except DocumentError:
        return False


def _tell_of_stick(turn: Turn, data: bytes, *, documents: int, since: int) -> None:
    """Whoever carried a stick to the pole is told at the office that it was taken."""
    reports = [one.report for one in turn.effects[since:] if isinstance(one, PublishReport)]
    standings = [one.standing for one in reports if isinstance(one, Receipt)]
    taken, refused = standings.count(Standing.RECEIVED), standings.count(Standing.REFUSED)
    detail = f"{Route.USB}: {documents} documents, {taken} new, {refused} refused"
    turn.receipt(hashlib.sha256(data).hexdigest(), "bundle", Standing.RECEIVED, detail=detail)


def receive(turn: Turn, data: bytes, route: Route) -> None:
    """Takes one envelope, from wherever it came."""
    try:
        envelope = unpack_alert(data) if route is Route.ALERT else unpack(data)
    except DocumentError as error:
        _refuse(turn, hashlib.sha256(data).hexdigest(), "envelope", error)
        return
    if _is_held(turn.state.trust, envelope.digest):
        return
    try:
        _take(turn, envelope, data, route)
    except DocumentError as error:
        if error.refusal in (Refusal.UNKNOWN_KEY, Refusal.GRANT_WITHOUT_PARENT):
            _keep_orphan(turn, data, route)
        _refuse(turn, envelope.digest, envelope.kind, error)


def _keep_orphan(turn: Turn, data: bytes, route: Route) -> None:
    """Grants and documents of several units travel apart, so a grant may come after what it allows."""
    trust = turn.state.trust
    if (data, route) not in trust.orphans:
        orphans = _newest((*trust.orphans, (data, route)), count_max=ORPHANS_MAX)
        turn.change(trust=replace(trust, orphans=orphans))


def _newest(waiting: tuple[tuple[bytes, Route], ...], *, count_max: int) -> tuple[tuple[bytes, Route], ...]:
    """As many of those that wait as may be kept in memory."""
    kept = waiting[-count_max:]
    while sum(len(data) for data, _ in kept) > WAITING_BYTES_MAX:
        kept = kept[1:]
    return kept


def _is_held(trust: TrustState, digest: str) -> bool:
    if digest in trust.grants or digest in trust.obeyed:
        return True
    return any(one.digest == digest for one in trust.documents.values())


def _take(turn: Turn, envelope: Envelope, data: bytes, route: Route) -> None:
    kind = kind_of(envelope)
    if kind is Kind.GRANT:
        _take_grant(turn, envelope)
    elif kind is Kind.HEAD:
        take_head(turn, envelope)
    elif KINDS[kind].verb is None:
        raise DocumentError(Refusal.UNKNOWN_TYPE, f"{kind} does not come by itself")
    else:
        _take_signed(turn, envelope, data, route)


def _refuse(turn: Turn, digest: str, kind: str, error: DocumentError) -> None:
    trust = turn.state.trust
    if digest in trust.refused:
        return
    turn.change(trust=replace(trust, refused=(*trust.refused, digest)[-REFUSED_REMEMBERED:]))
    told = _count_refusal(turn)
    if told < REFUSALS_TOLD_MAX:
        turn.receipt(digest, kind[:64], Standing.REFUSED, refusal=error.refusal, detail=error.detail[:200])
    elif told == REFUSALS_TOLD_MAX:
        turn.receipt(
            digest, kind[:64], Standing.REFUSED, refusal=Refusal.TOO_MANY, detail="no more are told this hour"
        )


def _count_refusal(turn: Turn) -> int:
    """How many were told in this hour before: each is a write, and a flood must not wear out the card."""
    since, count = turn.state.trust.refusals
    if turn.now.mono - since >= REFUSALS_WINDOW_MS:
        since, count = turn.now.mono, 0
    turn.change(trust=replace(turn.state.trust, refusals=(since, count + 1)))
    return count


# Grants


def _take_grant(turn: Turn, envelope: Envelope) -> None:
    """Holds it, and looks again at what was signed by somebody nobody knew."""
    if not take_grant(turn, envelope):
        return
    orphans = turn.state.trust.orphans
    turn.change(trust=replace(turn.state.trust, orphans=()))
    for data, route in orphans:
        receive(turn, data, route)


# Heads


def take_head(turn: Turn, envelope: Envelope) -> None:
    """Takes a head signed by the controller's pinned key; an older one changes nothing."""
    signers = check_signatures(envelope, turn.state.identity.anchor.freshness_keys, 1)
    head = codec.decode(Head, envelope.payload, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
    key = f"{Kind.HEAD}/{head.scope}"
    former = turn.state.trust.documents.get(key)
    if not turn.state.identity.listens_to(head.scope):
        return
    if isinstance(former, Accepted) and isinstance(former.document, Head) and head.issued <= former.document.issued:
        return
    if turn.clock_believed and head.issued > turn.now.wall + CLOCK_SKEW_MS_MAX:
        raise DocumentError(Refusal.NOT_YET_VALID, "head")
    keys = tuple(sorted(key_id(signer) for signer in signers))
    put(turn, key, Accepted(Kind.HEAD, envelope.digest, head, keys=keys), envelope)


# Whatever is signed under a grant


def _take_signed(turn: Turn, envelope: Envelope, data: bytes, route: Route) -> None:
    trust = turn.state.trust
    wall = turn.now.wall if turn.clock_believed else None
    authorised = authorise(
        envelope, anchor=turn.state.identity.anchor, grants=trust.grants, wall=wall, denied=trust.denied
    )
    if not _is_addressed(turn, authorised):
        return
    # A stick stores and never speaks at once. What silences may come by it: a cancel, a stop.
    if route is Route.USB and isinstance(authorised.document, Alert | LiveSession):
        raise DocumentError(Refusal.NOT_BY_STICK, authorised.kind)
    if wall is None:
        _defer(turn, data, route)
        return
    _check_life(turn, authorised)
    _OBEY.get(type(authorised.document), accept)(turn, authorised, envelope)
    clock_trust.raise_floor(turn, authorised.document.issued)


_OBEY: Final = {Assignment: take_assignment, Denial: take_denial}


def _is_addressed(turn: Turn, authorised: Authorised) -> bool:
    document, identity = authorised.document, turn.state.identity
    if isinstance(document, Assignment):
        return document.of(identity.device) is not None
    if isinstance(document, Schedule | AudibleConfig | Denial):
        return covers(document.scope, identity.place)
    return addresses(document.targets, identity.place)


def _defer(turn: Turn, data: bytes, route: Route) -> None:
    trust = turn.state.trust
    if (data, route) not in trust.deferred:
        deferred = _newest((*trust.deferred, (data, route)), count_max=ENVELOPES_IN_PARCEL_MAX)
        turn.change(trust=replace(trust, deferred=deferred))


def take_deferred(turn: Turn) -> None:
    """Looks again at what had to wait for a believed clock."""
    if not turn.clock_believed or not turn.state.trust.deferred:
        return
    waiting = turn.state.trust.deferred
    turn.change(trust=replace(turn.state.trust, deferred=()))
    for data, route in waiting:
        receive(turn, data, route)


def _check_life(turn: Turn, authorised: Authorised) -> None:
    document = authorised.document
    if document.issued > turn.now.wall + CLOCK_SKEW_MS_MAX:
        raise DocumentError(Refusal.NOT_YET_VALID, str(document.issued))
    expires: WallMs | None = getattr(document, "expires", None)
    if expires is not None and expires <= turn.now.wall:
        raise DocumentError(Refusal.EXPIRED, str(expires))


def drop_expired(turn: Turn) -> None:
    """Forgets alerts, live sessions, cancels and stops whose time is over.

    A stop that seems to last longer than any may was made under a wrong clock, and is dropped with it.
    """
    if not turn.clock_believed:
        return
    trust = turn.state.trust
    for key, held in trust.documents.items():
        if isinstance(held.document, Alert | LiveSession) and held.document.expires <= turn.now.wall:
            remove(turn, key)
    kept = tuple(mark for mark in trust.cancelled if mark.expires > turn.now.wall)
    if kept != trust.cancelled:
        turn.change(trust=replace(turn.state.trust, cancelled=kept))
        turn.dirty = True
    if turn.state.stop is not None and not 0 < turn.state.stop.until - turn.now.wall <= STOP_MS_MAX:
        turn.change(stop=None)
        turn.dirty = True
