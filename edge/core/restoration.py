"""After a restart: what was stored is verified once more before it is in force again; what was cut off goes on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from edge.core import plan, proof
from edge.core.acceptance import accepted
from edge.core.trust import take_head
from edge.core.turn import Turn
from protocol.alert import Alert
from protocol.audible_config import AudibleConfig
from protocol.authority import authorise
from protocol.bulletin import CatchUp
from protocol.document import Kind, kind_of
from protocol.envelope import Envelope, unpack
from protocol.errors import DocumentError
from protocol.grants import accept_grant
from protocol.schedule import Schedule


def restore(turn: Turn, envelopes: Iterable[bytes]) -> bool:
    """Verifies what was stored once more and puts it in force; True when some of it was damaged.

    High-waters are not asked: these documents set them, where the registers were lost.
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
        take_head(turn, envelope)
        return
    trust = turn.state.trust
    authorised = authorise(
        envelope, anchor=turn.state.identity.anchor, grants=trust.grants, wall=None, denied=trust.denied
    )
    document = authorised.document
    name = authorised.digest if isinstance(document, Alert) else document.scope
    key = f"alert/{name}" if isinstance(document, Alert) else f"{authorised.kind}/{name}"
    turn.hold({**trust.documents, key: accepted(authorised)})
    if isinstance(document, Schedule | AudibleConfig):
        _raise_version(turn, key, document.version)


def _raise_version(turn: Turn, key: str, version: int) -> None:
    """With the registers lost, the documents that are left still keep older ones out."""
    versions = turn.state.trust.versions
    newest = max(version, versions.get(key, version))
    turn.change(trust=replace(turn.state.trust, versions={**versions, key: newest}))


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
