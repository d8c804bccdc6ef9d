"""What a fresh head names and this device does not hold: somebody keeps it from us, or it was refused here.

A controller in foreign hands can freeze a village or mix old documents with new heads. It cannot do so unseen.
"""

from __future__ import annotations

from typing import Final

from edge.core.acceptance import newest_version
from edge.core.change import replace
from edge.core.state import AgentState
from edge.core.turn import Turn
from protocol.clock import MonoMs
from protocol.document import Kind
from protocol.freshness import Head, Newest

PATIENCE_MS: Final = 120_000
_VERSIONED: Final = (Kind.SCHEDULE, Kind.AUDIBLE_CONFIG)


def watch(turn: Turn, before: AgentState) -> None:
    """Remembers since when something has been missing; looks when a document or the clock is another one."""
    if turn.state.trust is before.trust and turn.state.clock is before.clock:
        return
    since = turn.state.trust.withheld_since
    lacks = turn.clock_believed and missing(turn.state) is not None
    if lacks != (since is not None):
        since = turn.now.mono if lacks else None
        turn.change(trust=replace(turn.state.trust, withheld_since=since))


def missing(state: AgentState) -> Newest | None:
    """The first document that a head names newer than it is held."""
    heads = (held.document for held in state.trust.documents.values() if isinstance(held.document, Head))
    return next((one for head in heads for one in head.newest if not _is_held(state, one)), None)


def _is_held(state: AgentState, newest: Newest) -> bool:
    if not state.identity.listens_to(newest.scope):
        return True
    if newest.kind in _VERSIONED:
        return newest_version(state, f"{newest.kind}/{newest.scope}") >= newest.version
    kind, _, grantor = newest.kind.partition("/")
    return kind != Kind.DENIAL or state.trust.denied.get(grantor, 0) >= newest.version


def fault(state: AgentState, mono: MonoMs) -> str | None:
    """What is missing, once it has been for too long."""
    since = state.trust.withheld_since
    if since is None or mono - since < PATIENCE_MS:
        return None
    lacking = missing(state)
    return None if lacking is None else f"{lacking.kind} {lacking.version} {lacking.scope}"
