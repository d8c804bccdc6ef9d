"""The root's words, verified by TUF before they come here: another anchor, deny epochs, and the clock's floor.

Nothing else changes the anchor or lowers the floor. The anchor that was pinned at enrolment stays pinned: a device
that is enrolled anew begins with it again.
"""

from __future__ import annotations

import hashlib
from typing import Final

from edge.core.change import replace
from edge.core.events import RootReceived, RootRefused
from edge.core.offices import deny, drop_fallen
from edge.core.state import Identity
from edge.core.trust_state import RootTaken
from edge.core.turn import Turn
from protocol import codec
from protocol.denial import read_root_word
from protocol.errors import DocumentError, Refusal
from protocol.grants import Anchor, read_anchor
from protocol.report import Standing
from protocol.units import covers


def anchor_digest(anchor: Anchor) -> str:
    """Names an anchor by its one byte form."""
    return hashlib.sha256(codec.encode(anchor)).hexdigest()


ROOT_KIND: Final = "root"


def take_root(turn: Turn, event: RootReceived) -> None:
    """Takes both; a part that cannot be read or used is told and changes nothing."""
    for kind, data, take in (("anchor", event.anchor, _take_anchor), ("root-word", event.word, _take_word)):
        if data is None:
            continue
        digest = hashlib.sha256(data).hexdigest()
        try:
            changed = take(turn, data)
        except DocumentError as error:
            if turn.once(f"root/{digest}"):
                turn.receipt(digest, kind, Standing.REFUSED, refusal=error.refusal, detail=error.detail[:200])
            continue
        if changed:
            turn.dirty = True
            turn.receipt(digest, kind, Standing.RECEIVED)


def tell_refused(turn: Turn, event: RootRefused) -> None:
    """Somebody hosts or carries files that the root's holders did not sign like this: told once, nothing changes."""
    digest = hashlib.sha256(f"{event.refusal} {event.detail}".encode()).hexdigest()
    if turn.once(f"root/{digest}"):
        turn.receipt(digest, ROOT_KIND, Standing.REFUSED, refusal=event.refusal, detail=event.detail[:200])


def _taken(turn: Turn) -> RootTaken:
    return turn.state.trust.root or RootTaken(pinned=anchor_digest(turn.state.identity.anchor))


def _take_anchor(turn: Turn, data: bytes) -> bool:
    anchor, identity = read_anchor(data), turn.state.identity
    if anchor == identity.anchor:
        return False
    if not covers(anchor.scope, identity.place):
        raise DocumentError(Refusal.OUT_OF_SCOPE, f"an anchor for {anchor.scope}, we are at {identity.place}"[:200])
    turn.change(
        identity=replace(identity, anchor=anchor),
        trust=replace(turn.state.trust, root=replace(_taken(turn), anchor=anchor), refused=()),
    )
    drop_fallen(turn)
    return True


def _take_word(turn: Turn, data: bytes) -> bool:
    word, taken = read_root_word(data), _taken(turn)
    if word.version <= taken.version:
        return False
    turn.change(trust=replace(turn.state.trust, root=replace(taken, version=word.version)))
    deny(turn, {one.grantor: one.epoch for one in word.denied})
    if word.floor is not None:
        turn.change(clock=replace(turn.state.clock, floor=word.floor))
    return True


def restore_identity(identity: Identity, *, root: RootTaken | None) -> Identity:
    """The identity of an enrolment with the anchor the root has named since, unless it was enrolled anew."""
    if root is None or root.anchor is None or root.pinned != anchor_digest(identity.anchor):
        return identity
    return replace(identity, anchor=root.anchor)
