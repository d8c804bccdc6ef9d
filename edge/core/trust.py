"""Which documents are obeyed: trust.md's checks in their order, then high-waters, then the state.

A refusal changes nothing but is told once, with its reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from edge.core import clock_trust
from edge.core.events import Route
from edge.core.state import Accepted, CancelMark, SequenceWindow, StopMark, TrustState
from edge.core.turn import Turn
from protocol import codec
from protocol.alert import Alert, Cancel, Stop
from protocol.audible_config import AudibleConfig
from protocol.authority import Authorised, authorise
from protocol.document import KINDS, Kind, kind_of
from protocol.envelope import Envelope, unpack, unpack_alert
from protocol.errors import DocumentError, Refusal
from protocol.freshness import Head
from protocol.grants import Grant, HeldGrant, accept_grant, check_signatures
from protocol.keys import key_id
from protocol.limits import (
    ALERT_ENVELOPE_BYTES_MAX,
    CLOCK_SKEW_MS_MAX,
    ENVELOPES_IN_PARCEL_MAX,
    GRANTS_HELD_MAX,
    SEQUENCE_WINDOW,
    STOP_MS_MAX,
)
from protocol.live import LiveSession
from protocol.parcel import unpack_parcel
from protocol.report import Standing
from protocol.schedule import Schedule
from protocol.units import addresses, covers

REFUSED_REMEMBERED: Final = 64
ALERTS_HELD_MAX: Final = 32
ORPHANS_MAX: Final = 16


def receive_parcel(turn: Turn, data: bytes, route: Route) -> None:
    """Takes each envelope of a parcel by itself: a bad one does not spoil the rest."""
    try:
        envelopes = unpack_parcel(data)
    except DocumentError as error:
        _refuse(turn, hashlib.sha256(data).hexdigest(), "parcel", error)
        return
    for envelope in envelopes:
        receive(turn, envelope, route)


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
    if len(data) <= ALERT_ENVELOPE_BYTES_MAX and (data, route) not in trust.orphans:
        turn.change(trust=replace(trust, orphans=(*trust.orphans, (data, route))[-ORPHANS_MAX:]))


def _is_held(trust: TrustState, digest: str) -> bool:
    return digest in trust.grants or any(one.digest == digest for one in trust.documents.values())


def _take(turn: Turn, envelope: Envelope, data: bytes, route: Route) -> None:
    kind = kind_of(envelope)
    if kind is Kind.GRANT:
        _take_grant(turn, envelope)
    elif kind is Kind.HEAD:
        _take_head(turn, envelope)
    elif KINDS[kind].verb is None:
        raise DocumentError(Refusal.UNKNOWN_TYPE, f"{kind} does not come by itself")
    else:
        _take_speech(turn, envelope, data, route)


def _refuse(turn: Turn, digest: str, kind: str, error: DocumentError) -> None:
    trust = turn.state.trust
    if digest in trust.refused:
        return
    turn.change(trust=replace(trust, refused=(*trust.refused, digest)[-REFUSED_REMEMBERED:]))
    turn.receipt(digest, kind[:64], Standing.REFUSED, refusal=error.refusal, detail=error.detail[:200])


# Grants


def grant_key(grant: Grant) -> str:
    """Storage key: a renewal for the same holder and scope replaces the former one."""
    return f"grant/{grant.scope}/{grant.holder}"


def _take_grant(turn: Turn, envelope: Envelope) -> None:
    trust = turn.state.trust
    held = accept_grant(envelope, turn.state.identity.anchor, trust.grants)
    if not turn.state.identity.listens_to(held.grant.scope):
        return
    former = _same_holder(trust, held)
    if former is not None and former.grant.serial >= held.grant.serial:
        raise DocumentError(Refusal.OLDER_VERSION, f"serial {held.grant.serial}")
    if former is None and len(trust.grants) >= GRANTS_HELD_MAX:
        raise DocumentError(Refusal.TOO_MANY, "grants")
    grants = {digest: one for digest, one in trust.grants.items() if one is not former}
    turn.change(trust=replace(trust, grants={**grants, held.digest: held}, refused=()))
    turn.keep(grant_key(held.grant), envelope.pack())
    orphans = turn.state.trust.orphans
    turn.change(trust=replace(turn.state.trust, orphans=()))
    for data, route in orphans:
        receive(turn, data, route)


def _same_holder(trust: TrustState, held: HeldGrant) -> HeldGrant | None:
    key = grant_key(held.grant)
    return next((one for one in trust.grants.values() if grant_key(one.grant) == key), None)


# Heads


def _take_head(turn: Turn, envelope: Envelope) -> None:
    check_signatures(envelope, turn.state.identity.anchor.freshness_keys, 1)
    head = codec.decode(Head, envelope.payload, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
    key = f"{Kind.HEAD}/{head.scope}"
    former = turn.state.trust.documents.get(key)
    if not turn.state.identity.listens_to(head.scope):
        return
    if isinstance(former, Accepted) and isinstance(former.document, Head) and head.issued <= former.document.issued:
        return
    if turn.clock_believed and head.issued > turn.now.wall + CLOCK_SKEW_MS_MAX:
        raise DocumentError(Refusal.NOT_YET_VALID, "head")
    _put(turn, key, Accepted(Kind.HEAD, envelope.digest, head), envelope)


# Speech


def _take_speech(turn: Turn, envelope: Envelope, data: bytes, route: Route) -> None:
    trust = turn.state.trust
    wall = turn.now.wall if turn.clock_believed else None
    authorised = authorise(
        envelope, anchor=turn.state.identity.anchor, grants=trust.grants, wall=wall, denied=trust.denied
    )
    if not _is_addressed(turn, authorised):
        return
    if wall is None:
        _defer(turn, data, route)
        return
    _check_life(turn, authorised)
    _ACCEPT[type(authorised.document)](turn, authorised, envelope)
    clock_trust.raise_floor(turn, authorised.document.issued)


def _is_addressed(turn: Turn, authorised: Authorised) -> bool:
    document, place = authorised.document, turn.state.identity.place
    if isinstance(document, Schedule | AudibleConfig):
        return covers(document.scope, place)
    return addresses(document.targets, place)


def _defer(turn: Turn, data: bytes, route: Route) -> None:
    trust = turn.state.trust
    if (data, route) not in trust.deferred:
        deferred = (*trust.deferred, (data, route))[-ENVELOPES_IN_PARCEL_MAX:]
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
    if not isinstance(document, AudibleConfig) and document.expires <= turn.now.wall:
        raise DocumentError(Refusal.EXPIRED, str(document.expires))


def _accept_versioned(turn: Turn, authorised: Authorised, envelope: Envelope) -> None:
    document = authorised.document
    assert isinstance(document, Schedule | AudibleConfig), "dispatched by type"
    key = f"{authorised.kind}/{document.scope}"
    versions = turn.state.trust.versions
    if document.version <= versions.get(key, -1):
        raise DocumentError(Refusal.OLDER_VERSION, f"{document.version}, have {versions[key]}")
    turn.change(trust=replace(turn.state.trust, versions={**versions, key: document.version}), plan=None)
    _put(turn, key, _accepted(authorised), envelope)
    turn.receipt(authorised.digest, authorised.kind, Standing.RECEIVED)


def _accept_alert(turn: Turn, authorised: Authorised, envelope: Envelope) -> None:
    alert = authorised.document
    assert isinstance(alert, Alert), "dispatched by type"
    trust = turn.state.trust
    if any(mark.alert_id == alert.id and covers(mark.scope, alert.scope) for mark in trust.cancelled):
        raise DocumentError(Refusal.CANCELLED_BEFORE, alert.id)
    if sum(isinstance(one.document, Alert) for one in trust.documents.values()) >= ALERTS_HELD_MAX:
        raise DocumentError(Refusal.TOO_MANY, "alerts")
    _take_sequence(turn, authorised, alert.sequence)
    _put(turn, f"alert/{authorised.digest}", _accepted(authorised), envelope)
    turn.receipt(authorised.digest, authorised.kind, Standing.RECEIVED)


def _accept_cancel(turn: Turn, authorised: Authorised, _: Envelope) -> None:
    cancel = authorised.document
    assert isinstance(cancel, Cancel), "dispatched by type"
    mark = CancelMark(cancel.alert_id, cancel.scope, cancel.expires)
    if mark in turn.state.trust.cancelled:
        return
    kept = (*turn.state.trust.cancelled, mark)[-2 * ALERTS_HELD_MAX :]
    turn.change(trust=replace(turn.state.trust, cancelled=kept))
    turn.dirty = True
    for key, held in tuple(turn.state.trust.documents.items()):
        alert = held.document
        if isinstance(alert, Alert) and alert.id == cancel.alert_id and covers(cancel.scope, alert.scope):
            _remove(turn, key)
            turn.receipt(held.digest, held.kind, Standing.CANCELLED)
    turn.receipt(authorised.digest, authorised.kind, Standing.RECEIVED)


def _accept_stop(turn: Turn, authorised: Authorised, _: Envelope) -> None:
    stop = authorised.document
    assert isinstance(stop, Stop), "dispatched by type"
    _take_sequence(turn, authorised, stop.sequence)
    turn.change(stop=StopMark(stop.until, authorised.holder))
    turn.receipt(authorised.digest, authorised.kind, Standing.RECEIVED)


def _accept_live(turn: Turn, authorised: Authorised, envelope: Envelope) -> None:
    session = authorised.document
    assert isinstance(session, LiveSession), "dispatched by type"
    _take_sequence(turn, authorised, session.sequence)
    _put(turn, f"{Kind.LIVE_SESSION}/{session.scope}", _accepted(authorised), envelope)
    turn.receipt(authorised.digest, authorised.kind, Standing.RECEIVED)


_ACCEPT: Final = {
    Schedule: _accept_versioned,
    AudibleConfig: _accept_versioned,
    Alert: _accept_alert,
    Cancel: _accept_cancel,
    Stop: _accept_stop,
    LiveSession: _accept_live,
}


def _accepted(authorised: Authorised) -> Accepted:
    return Accepted(authorised.kind, authorised.digest, authorised.document, authorised.holder)


def _put(turn: Turn, key: str, accepted: Accepted, envelope: Envelope) -> None:
    trust = turn.state.trust
    turn.change(trust=replace(trust, documents={**trust.documents, key: accepted}))
    turn.keep(key, envelope.pack())


def _remove(turn: Turn, key: str) -> None:
    trust = turn.state.trust
    turn.change(trust=replace(trust, documents={name: one for name, one in trust.documents.items() if name != key}))
    turn.forget(key)


def _take_sequence(turn: Turn, authorised: Authorised, number: int) -> None:
    """Refuses a number that any of the signers has used; stripping a signature does not help a replay."""
    sequences = dict(turn.state.trust.sequences)
    for signer in authorised.signers:
        name = f"{authorised.document.scope}|{key_id(signer)}"
        sequences[name] = next_window(sequences.get(name), number)
    turn.change(trust=replace(turn.state.trust, sequences=sequences))
    turn.dirty = True


def next_window(window: SequenceWindow | None, number: int) -> SequenceWindow:
    """The window after a number was used.

    Raises:
        DocumentError: REPLAYED, when it was seen or is too far behind to tell.
    """
    if window is None:
        return SequenceWindow(number, (number,))
    if number in window.seen or number <= window.high - SEQUENCE_WINDOW:
        raise DocumentError(Refusal.REPLAYED, f"{number}, newest {window.high}")
    high = max(window.high, number)
    seen = tuple(sorted(one for one in (*window.seen, number) if one > high - SEQUENCE_WINDOW))
    return SequenceWindow(high, seen)


def drop_expired(turn: Turn) -> None:
    """Forgets alerts, live sessions, cancels and stops whose time is over.

    A stop that seems to last longer than any may was made under a wrong clock, and is dropped with it.
    """
    if not turn.clock_believed:
        return
    trust = turn.state.trust
    for key, held in trust.documents.items():
        if isinstance(held.document, Alert | LiveSession) and held.document.expires <= turn.now.wall:
            _remove(turn, key)
    kept = tuple(mark for mark in trust.cancelled if mark.expires > turn.now.wall)
    if kept != trust.cancelled:
        turn.change(trust=replace(turn.state.trust, cancelled=kept))
        turn.dirty = True
    if turn.state.stop is not None and not 0 < turn.state.stop.until - turn.now.wall <= STOP_MS_MAX:
        turn.change(stop=None)
        turn.dirty = True


# After a restart


def restore(turn: Turn, envelopes: Iterable[bytes]) -> bool:
    """Verifies what was stored once more and puts it in force; True when some of it was damaged.

    High-waters are not asked: these documents are the ones that set them.
    """
    waiting, damaged = _unpack_stored(envelopes)
    waiting = _restore_grants(turn, waiting)
    for envelope in waiting:
        try:
            _restore_document(turn, envelope)
        except DocumentError:
            damaged = True
    return damaged


def _unpack_stored(envelopes: Iterable[bytes]) -> tuple[list[Envelope], bool]:
    found: list[Envelope] = []
    damaged = False
    for data in envelopes:
        try:
            found.append(unpack(data))
        except DocumentError:
            damaged = True
    return found, damaged


def _restore_grants(turn: Turn, envelopes: list[Envelope]) -> list[Envelope]:
    """Parents may stand behind their children, so it goes on as long as one more fits."""
    waiting = envelopes
    while True:
        left: list[Envelope] = []
        for envelope in waiting:
            trust = turn.state.trust
            try:
                held = accept_grant(envelope, turn.state.identity.anchor, trust.grants)
            except DocumentError:
                left.append(envelope)
                continue
            turn.change(trust=replace(trust, grants={**trust.grants, held.digest: held}))
        if len(left) == len(waiting):
            return left
        waiting = left


def _restore_document(turn: Turn, envelope: Envelope) -> None:
    if kind_of(envelope) is Kind.HEAD:
        _take_head(turn, envelope)
        return
    trust = turn.state.trust
    authorised = authorise(
        envelope, anchor=turn.state.identity.anchor, grants=trust.grants, wall=None, denied=trust.denied
    )
    document = authorised.document
    name = authorised.digest if isinstance(document, Alert) else document.scope
    key = f"alert/{name}" if isinstance(document, Alert) else f"{authorised.kind}/{name}"
    turn.change(trust=replace(trust, documents={**trust.documents, key: _accepted(authorised)}))
