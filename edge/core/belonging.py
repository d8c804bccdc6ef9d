"""Where this device belongs: a signed assignment moves it, old keys stop, and nobody climbs a pole.

The word needs authority over the place the device is at now and over the one it goes to. Of several words the newest
counts, so an old one that is sent again brings no device back.
"""

from __future__ import annotations

from edge.core.acceptance import accepted, put, storage_key
from edge.core.change import replace
from edge.core.effects import Relocate
from edge.core.in_force import Accepted, InForce
from edge.core.offices import drop_grants, welcome_back
from edge.core.trust_state import Transfer
from edge.core.turn import Turn
from protocol.assignment import Assignment
from protocol.authority import Authorised
from protocol.envelope import Envelope
from protocol.errors import DocumentError, Refusal
from protocol.report import Standing
from protocol.units import UnitPath, addresses, covers


def take_assignment(turn: Turn, authorised: Authorised, envelope: Envelope) -> None:
    """Obeys the word about this device.

    Raises:
        DocumentError: OLDER_VERSION, or OUT_OF_SCOPE when it reaches neither end of the way.
    """
    word, identity = authorised.document, turn.state.identity
    assert isinstance(word, Assignment), "dispatched by type"
    placement = word.of(identity.device)
    assert placement is not None, "it is addressed to us"
    former = turn.state.trust.transfer
    if former is not None and word.issued <= former.issued:
        raise DocumentError(Refusal.OLDER_VERSION, f"issued {word.issued}, have {former.issued}")
    place = placement.place or identity.place
    if not covers(word.scope, identity.place) or not covers(identity.anchor.scope, place):
        raise DocumentError(Refusal.OUT_OF_SCOPE, f"{word.scope} does not reach {identity.place}"[:200])
    enrolled = identity.place if former is None else former.enrolled
    turn.change(trust=replace(turn.state.trust, transfer=Transfer(enrolled, place, word.issued)))
    put(turn, storage_key(authorised), accepted(authorised), envelope)
    turn.receipt(authorised.digest, authorised.kind, Standing.RECEIVED)
    if place != identity.place:
        relocate(turn, place)


def relocate(turn: Turn, place: UnitPath) -> None:
    """Belongs there from now on: what the units it left have said no longer counts."""
    turn.change(identity=replace(turn.state.identity, place=place), plan=None, force=InForce())
    identity, trust = turn.state.identity, turn.state.trust
    drop_grants(turn, tuple(held for held in trust.grants.values() if not identity.listens_to(held.grant.scope)))
    left = [key for key, held in trust.documents.items() if not _concerns(held, place)]
    for key in left:
        turn.forget(key)
        welcome_back(turn, trust.documents[key])  # a device that is brought back hears again what it heard before
    kept = {key: held for key, held in turn.state.trust.documents.items() if key not in left}
    turn.change(trust=replace(turn.state.trust, deferred=(), orphans=(), refused=()))
    turn.hold(kept)
    turn.do(Relocate(place))
    turn.hasten_status()


def _concerns(held: Accepted, place: UnitPath) -> bool:
    document = held.document
    if isinstance(document, Assignment):
        return True
    targets: tuple[UnitPath, ...] | None = getattr(document, "targets", None)
    scope: UnitPath = getattr(document, "scope", place)
    return covers(scope, place) if targets is None else addresses(targets, place)
