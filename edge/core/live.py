"""Live sessions: verified segments flow, stall and return (behaviour.md, section 3).

At most 2 s of sound are buffered; when segments stop, the ladder says what follows; when they come back the session
returns, at most once every 10 s. Several units may speak at once: each session is followed by itself.
"""

from __future__ import annotations

from typing import Final

from edge.core.change import replace
from edge.core.effects import FeedLive
from edge.core.in_force import Accepted
from edge.core.output import LiveOutput, Rung
from edge.core.state import AgentState, LiveState
from edge.core.timeline import config_of
from edge.core.turn import Turn
from protocol.bulletin import BulletinClass
from protocol.clock import MonoMs, Now
from protocol.errors import DocumentError, Refusal
from protocol.keys import public_key, verify
from protocol.live import LiveSegment, LiveSession, opus_packets, unpack_segment
from protocol.report import EndReason, Standing

STALL_MS: Final = 2000
_SLACK_MS: Final = 500
RETURN_MS: Final = 10_000
RESERVED_AHEAD: Final = 20
"""Counters stored ahead: a write each 20 s at most, and so much of a session is lost after a power cut within it."""


def sessions(state: AgentState) -> tuple[tuple[Accepted, LiveSession], ...]:
    """Live sessions in force, newest first."""
    held = [(one, one.document) for one in state.trust.documents.values() if isinstance(one.document, LiveSession)]
    return tuple(sorted(held, key=lambda pair: (pair[1].issued, pair[1].id), reverse=True))


def receive(turn: Turn, data: bytes) -> None:
    """Takes a segment if its session's key signed it and its counter is new; feeds its sound."""
    known = sessions(turn.state)
    if not known:
        return
    held, document = known[0]
    try:
        segment = unpack_segment(data)
        held, document = next((pair for pair in known if pair[1].id == segment.session_id), known[0])
        _check(segment, document)
        packets = opus_packets(segment.sound)
    except DocumentError as error:
        if turn.once(f"live-refused/{document.id}"):
            turn.receipt(held.digest, held.kind, Standing.REFUSED, refusal=error.refusal, detail=error.detail)
        return
    _take(turn, document, segment.counter, packets)


def _check(segment: LiveSegment, session: LiveSession) -> None:
    if segment.session_id != session.id:
        raise DocumentError(Refusal.OUT_OF_SCOPE, "segment of another session")
    if not verify(public_key(session.key), segment.signature, segment.signed_bytes()):
        raise DocumentError(Refusal.BAD_SIGNATURE, f"segment {segment.counter}")


def _take(turn: Turn, session: LiveSession, counter: int, packets: tuple[bytes, ...]) -> None:
    former = turn.state.lives.get(session.id, LiveState())
    if counter <= former.counter:
        return
    live = _flowing(replace(former, counter=counter, ended=not packets), turn.now.mono)
    if counter > live.reserved:
        live = replace(live, reserved=counter + RESERVED_AHEAD)
        turn.dirty = True
    turn.change(lives={**turn.state.lives, session.id: live})
    if packets:
        turn.do(FeedLive(session.id, counter, packets))


def _flowing(live: LiveState, mono: MonoMs) -> LiveState:
    """A session that said goodbye flows on until what is held of it has sounded: the last words are not cut."""
    rested = live.returned is None or mono - live.returned >= RETURN_MS
    flowing = live.flowing or (rested and not live.ended)
    returned = mono if flowing and not live.flowing else live.returned
    return replace(live, last=mono, flowing=flowing, returned=returned)


def fall_silent(turn: Turn, session_id: str) -> None:
    """The sound path has had nothing for a second and holds little more; a goodbye is no fault."""
    former = turn.state.lives.get(session_id)
    if former is not None and not former.ended:
        turn.change(lives={**turn.state.lives, session_id: replace(former, flowing=False)})


def go_on(turn: Turn, session_id: str) -> None:
    """It flows again before what was held ran out: this is not a return, so its rest does not count."""
    former = turn.state.lives.get(session_id)
    if former is not None and not former.ended:
        turn.change(lives={**turn.state.lives, session_id: replace(former, flowing=True)})


def has_ended(state: AgentState, session_id: str) -> bool:
    """Whether a session said goodbye."""
    return session_id in state.lives and state.lives[session_id].ended


def is_over(turn: Turn, session_id: str) -> None:
    """All that was held of a session that said goodbye has sounded."""
    turn.change(lives={**turn.state.lives, session_id: replace(turn.state.lives[session_id], flowing=False)})


def watch(turn: Turn) -> None:
    """Notices stalls, and forgets sessions that are over."""
    held = {session.id for _, session in sessions(turn.state)}
    lives = {name: _stalled(one, turn.now.mono) for name, one in turn.state.lives.items() if name in held}
    if lives != turn.state.lives:
        turn.change(lives=lives)


def _stalled(live: LiveState, mono: MonoMs) -> LiveState:
    return replace(live, flowing=False) if live.flowing and mono - live.last >= STALL_MS else live


def stalled(state: AgentState) -> tuple[str, ...]:
    """Sessions that were heard and are silent without having said goodbye."""
    return tuple(name for name, one in state.lives.items() if not one.flowing and not one.ended)


def why_ended(state: AgentState, session_id: str) -> EndReason:
    """Why a session's sound gave way to something below it."""
    return EndReason.SOURCE_FAILED if session_id in stalled(state) else EndReason.COMPLETE


def output_of(state: AgentState, rung: Rung, now: Now) -> LiveOutput | None:
    """The output of the newest session that flows on one of the two rungs."""
    wanted = BulletinClass.PRIORITY if rung is Rung.LIVE_PRIORITY else BulletinClass.ORDINARY
    for held, session in sessions(state):
        live = state.lives.get(session.id)
        if live is not None and live.flowing and session.bulletin_class is wanted and session.expires > now.wall:
            return _output(state, held, session, rung)
    return None


def rest_of(state: AgentState, now: Now) -> LiveOutput | None:
    """What is held of the session that sounds and gives no more."""
    output = state.sound.output
    if not isinstance(output, LiveOutput):
        return None
    live = state.lives.get(output.session_id)
    lasts = any(one.id == output.session_id and one.expires > now.wall for _, one in sessions(state))
    return output if live is not None and lasts and now.mono < rest_ends(live) else None


def rest_ends(live: LiveState) -> MonoMs:
    """When a sound path has surely nothing more of a session."""
    return MonoMs(live.last + STALL_MS + _SLACK_MS)


def _output(state: AgentState, held: Accepted, session: LiveSession, rung: Rung) -> LiveOutput:
    config = config_of(state)
    loss = config.priority_attenuation_cdb if rung is Rung.LIVE_PRIORITY else config.ordinary_attenuation_cdb
    return LiveOutput(rung, held.digest, session.id, loss)
