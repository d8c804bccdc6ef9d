"""What an accepted document changes: versions, alerts, cancels, stops, live sessions and the high-waters behind them.

Called by `trust` when authority, address and life of a document have been checked.
"""

from __future__ import annotations

from typing import Final

from edge.core.at_hand import StopMark
from edge.core.change import replace
from edge.core.in_force import Accepted
from edge.core.state import AgentState
from edge.core.trust_state import CancelMark, SequenceWindow
from edge.core.turn import Turn
from protocol.alert import Alert, Cancel, Stop
from protocol.assignment import Assignment
from protocol.audible_config import AudibleConfig
from protocol.authority import Authorised
from protocol.denial import Denial
from protocol.document import Kind
from protocol.envelope import Envelope
from protocol.errors import DocumentError, Refusal
from protocol.keys import key_id
from protocol.limits import SEQUENCE_WINDOW
from protocol.live import LiveSession
from protocol.report import Standing
from protocol.schedule import Schedule
from protocol.units import covers

ALERTS_HELD_MAX: Final = 32
OBEYED_REMEMBERED: Final = 2 * ALERTS_HELD_MAX


def accept(turn: Turn, authorised: Authorised, envelope: Envelope) -> None:
    """Puts a document in force.

    Raises:
        DocumentError: older than what is in force, replayed, cancelled before, or one too many.
    """
    _ACCEPT[type(authorised.document)](turn, authorised, envelope)
    if not isinstance(authorised.document, Schedule | AudibleConfig):
        obeyed = (*turn.state.trust.obeyed, authorised.digest)[-OBEYED_REMEMBERED:]
        turn.change(trust=replace(turn.state.trust, obeyed=obeyed))
        turn.dirty = True


def _accept_versioned(turn: Turn, authorised: Authorised, envelope: Envelope) -> None:
    document = authorised.document
    assert isinstance(document, Schedule | AudibleConfig), "dispatched by type"
    key = storage_key(authorised)
    newest = newest_version(turn.state, key)
    if document.version <= newest:
        raise DocumentError(Refusal.OLDER_VERSION, f"{document.version}, have {newest}")
    mark_version(turn, authorised)
    turn.change(plan=None)
    put(turn, key, accepted(authorised), envelope)
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
    put(turn, storage_key(authorised), accepted(authorised), envelope)
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
            remove(turn, key)
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
    put(turn, storage_key(authorised), accepted(authorised), envelope)
    turn.receipt(authorised.digest, authorised.kind, Standing.RECEIVED)


_ACCEPT: Final = {
    Schedule: _accept_versioned,
    AudibleConfig: _accept_versioned,
    Alert: _accept_alert,
    Cancel: _accept_cancel,
    Stop: _accept_stop,
    LiveSession: _accept_live,
}


def newest_version(state: AgentState, key: str) -> int:
    """The newest version of a kind and scope that was obeyed, whoever signed it; -1 when there was none.

    What a key signed that fell to a deny epoch and was not named again does not count.
    """
    trust = state.trust
    marks = [(name.rpartition("|"), version) for name, version in trust.versions.items()]
    return max((version for (kind, _, signer), version in marks if kind == key and _binds(state, signer)), default=-1)


def _binds(state: AgentState, signer: str) -> bool:
    if signer not in state.trust.fallen:
        return True
    named = (*state.identity.anchor.keys, *(key for held in state.trust.grants.values() for key in held.grant.keys))
    return any(key_id(key) == signer for key in named)


def mark_version(turn: Turn, authorised: Authorised) -> None:
    """Remembers the version under each of its signers: a new key has a new high-water."""
    document, versions = authorised.document, dict(turn.state.trust.versions)
    assert isinstance(document, Schedule | AudibleConfig), "only these have versions"
    for signer in authorised.signers:
        name = f"{authorised.kind}/{document.scope}|{key_id(signer)}"
        versions[name] = max(document.version, versions.get(name, document.version))
    turn.change(trust=replace(turn.state.trust, versions=versions))


def accepted(authorised: Authorised) -> Accepted:
    """The form in which a document is held."""
    keys = tuple(sorted(key_id(signer) for signer in authorised.signers))
    return Accepted(
        authorised.kind, authorised.digest, authorised.document, authorised.holder, authorised.grant, keys
    )


def storage_key(authorised: Authorised) -> str:
    """Under which key a document of its kind is held and stored; its successor replaces it."""
    document = authorised.document
    if isinstance(document, Alert):
        return f"alert/{authorised.digest}"
    if isinstance(document, Assignment):
        return str(Kind.ASSIGNMENT)
    return f"{authorised.kind}/{document.grantor if isinstance(document, Denial) else document.scope}"


def put(turn: Turn, key: str, held: Accepted, envelope: Envelope) -> None:
    """Holds and stores a document under its key."""
    turn.hold({**turn.state.trust.documents, key: held})
    turn.keep(key, envelope.pack())


def remove(turn: Turn, key: str) -> None:
    """Lets go of a document."""
    turn.hold({name: one for name, one in turn.state.trust.documents.items() if name != key})
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
