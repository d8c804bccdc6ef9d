"""Live sessions: verified segments flow, stall and return (behaviour.md, section 3).

At most 2 s of sound are buffered; when segments stop, the ladder says what follows; when they come back the session
returns, at most once every 10 s.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from edge.core.effects import FeedLive
from edge.core.output import LiveOutput, Rung
from edge.core.state import Accepted, AgentState, LiveState
from edge.core.timeline import config_of
from edge.core.turn import Turn
from protocol.bulletin import BulletinClass
from protocol.clock import Now
from protocol.errors import DocumentError, Refusal
from protocol.keys import public_key, verify
from protocol.live import LiveSegment, LiveSession, opus_packets, unpack_segment
from protocol.report import Standing

STALL_MS: Final = 2000
RETURN_MS: Final = 10_000


def session_of(state: AgentState) -> tuple[Accepted, LiveSession] | None:
    """The newest live session in force."""
    held = [(one, one.document) for one in state.trust.documents.values() if isinstance(one.document, LiveSession)]
    return max(held, key=lambda pair: (pair[1].issued, pair[1].id), default=None)


def receive(turn: Turn, data: bytes) -> None:
    """Takes a segment if the session's key signed it and its counter is new; feeds its sound."""
    session = session_of(turn.state)
    if session is None:
        return
    held, document = session
    try:
        segment = unpack_segment(data)
        _check(segment, document)
        packets = opus_packets(segment.sound)
    except DocumentError as error:
        if turn.once(f"live-refused/{document.id}"):
            turn.receipt(held.digest, held.kind, Standing.REFUSED, refusal=error.refusal, detail=error.detail)
        return
    live = _live_of(turn.state, document)
    if segment.counter <= live.counter:
        return
    _flow(turn, replace(live, counter=segment.counter, ended=not packets))
    if packets:
        turn.do(FeedLive(document.id, segment.counter, packets))


def _check(segment: LiveSegment, session: LiveSession) -> None:
    if segment.session_id != session.id:
        raise DocumentError(Refusal.OUT_OF_SCOPE, "segment of another session")
    if not verify(public_key(session.key), segment.signature, segment.signed_bytes()):
        raise DocumentError(Refusal.BAD_SIGNATURE, f"segment {segment.counter}")


def _live_of(state: AgentState, session: LiveSession) -> LiveState:
    return state.live if state.live.session_id == session.id else LiveState(session.id)


def _flow(turn: Turn, live: LiveState) -> None:
    mono = turn.now.mono
    rested = live.returned is None or mono - live.returned >= RETURN_MS
    flowing = not live.ended and (live.flowing or rested)
    returned = mono if flowing and not live.flowing else live.returned
    turn.change(live=replace(live, last=mono, flowing=flowing, returned=returned))


def watch(turn: Turn) -> None:
    """Notices a stall, and forgets a session that is over."""
    live = turn.state.live
    session = session_of(turn.state)
    if session is None:
        if live.session_id:
            turn.change(live=LiveState())
        return
    if live.flowing and live.last is not None and turn.now.mono - live.last >= STALL_MS:
        turn.change(live=replace(live, flowing=False))


def output_of(state: AgentState, rung: Rung, now: Now) -> LiveOutput | None:
    """The session's output on one of its two rungs while it flows."""
    session = session_of(state)
    if session is None or not state.live.flowing or session[1].expires <= now.wall:
        return None
    held, document = session
    priority = document.bulletin_class is BulletinClass.PRIORITY
    if rung is not (Rung.LIVE_PRIORITY if priority else Rung.ORDINARY):
        return None
    config = config_of(state)
    loss = config.priority_attenuation_cdb if priority else config.ordinary_attenuation_cdb
    return LiveOutput(rung, held.digest, document.id, loss)
