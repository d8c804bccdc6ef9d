"""After a restart: what was stored is verified once more before it is in force again; what was cut off goes on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edge.core import plan, proof
from edge.core.acceptance import accepted, mark_version, storage_key
from edge.core.change import replace
from edge.core.offices import deny, hold_grant
from edge.core.trust import take_head
from edge.core.trust_state import Transfer
from edge.core.turn import Turn
from protocol.assignment import Assignment
from protocol.audible_config import AudibleConfig
from protocol.authority import authorise
from protocol.bulletin import CatchUp
from protocol.denial import Denial
from protocol.document import Kind, kind_of
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.grants import accept_all
from protocol.schedule import Schedule

_FIRST: Final[dict[str, int]] = {kind: rank for rank, kind in enumerate((Kind.DENIAL, Kind.ASSIGNMENT))}


def restore(turn: Turn, envelopes: Iterable[bytes]) -> bool:
    """Verifies what was stored once more and puts it in force; True when some of it was damaged.

    High-waters are not asked: these documents set them, where the registers were lost.
    """
    found, damaged = _unpack_stored(envelopes)
    trust = turn.state.trust
    held, waiting = accept_all(found, turn.state.identity.anchor, trust.grants)
    for grant in held.values():
        hold_grant(turn, grant)
    # What takes authority away comes before what needs it, and what moves the device before what it hears there.
    for envelope in sorted(waiting, key=lambda one: _FIRST.get(one.kind, len(_FIRST))):
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


def _restore_document(turn: Turn, envelope: Envelope) -> None:
    if kind_of(envelope) is Kind.HEAD:
        take_head(turn, envelope)
        return
    trust = turn.state.trust
    authorised = authorise(
        envelope,
        anchor=turn.state.identity.anchor,
        grants=trust.grants,
        wall=None,
        denied=trust.denied,
        past=True,
    )
    document = authorised.document
    turn.hold({**trust.documents, storage_key(authorised): accepted(authorised)})
    if isinstance(document, Schedule | AudibleConfig):
        mark_version(turn, authorised)
    elif isinstance(document, Denial):
        deny(turn, {document.grantor: document.epoch})
    elif isinstance(document, Assignment):
        _restore_place(turn, document)


def _restore_place(turn: Turn, word: Assignment) -> None:
    """With the registers lost, the word that is left still says where this device belongs."""
    placement, identity = word.of(turn.state.identity.device), turn.state.identity
    if placement is None or turn.state.trust.transfer is not None:
        return
    transfer = Transfer(identity.place, placement.place or identity.place, word.issued)
    turn.change(trust=replace(turn.state.trust, transfer=transfer), identity=replace(identity, place=transfer.place))


def catch_up(turn: Turn) -> None:
    """After a power cut: what had begun and not ended goes on, begins again or is left, as its item says.

    Once in a boot, as soon as the clock is believed and a plan can be made.
    """
    if turn.state.caught_up or turn.state.plan is None:
        return
    turn.change(caught_up=True)
    for occurrence in turn.state.plan.open:
        progress = turn.state.progress.get(occurrence.key)
        if progress is None or progress.origin is None or occurrence.start > turn.now.wall:
            continue
        if occurrence.item.catch_up is CatchUp.SKIP:
            proof.lose(turn, occurrence, progress)
        elif occurrence.item.catch_up is CatchUp.RESTART and turn.now.wall < occurrence.end:
            plan.mark(turn, occurrence, replace(progress, origin=None, turn=turn.now.wall))
