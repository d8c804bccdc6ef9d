"""What is wrong right now, judged from the state; the difference to before is told as faults that begin and end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edge.core import fm_gate, live, relays, timeline, withheld
from edge.core.events import BoardPart, PartJudged
from edge.core.output import AlertOutput, MicrophoneOutput, Output, Silence
from edge.core.state import AgentState
from edge.core.turn import Turn
from protocol.clock import ClockTrust, Now
from protocol.report import Fault, FaultCode

SOUND_MISSING_MS: Final = 5000
CLOCK_GRACE_MS: Final = 30_000
STORAGE_FULL_MS: Final = 60_000

_PART_FAULTS: Final = {
    BoardPart.SPEAKER_LINE: FaultCode.LINE_FAULT,
    BoardPart.POWER: FaultCode.POWER_LOW,
    BoardPart.GUARDIAN: FaultCode.GUARDIAN_LOST,
    BoardPart.TUNER: FaultCode.TUNER_LOST,
    BoardPart.CLOCK_CHIP: FaultCode.CLOCK_CHIP_LOST,
    BoardPart.METER: FaultCode.METER_LOST,
}


def tell(turn: Turn) -> None:
    """Reports faults that began or ended, and asks for a status when any did."""
    present = assess(turn.state, turn.now)
    former = turn.state.faults
    device = turn.state.identity.device
    for code, detail in present.items():
        if code not in former:
            turn.report(Fault(device, code, turn.now.wall, detail[:200]))
    for code, (began, detail) in former.items():
        if code not in present:
            turn.report(Fault(device, code, began, detail[:200], ended=turn.now.wall))
    if present.keys() != former.keys():
        turn.hasten_status()
    if [*present] != [*former]:
        turn.change(faults={code: former.get(code, (turn.now.wall, detail)) for code, detail in present.items()})


def judged(turn: Turn, event: PartJudged) -> None:
    """A part of the board was found sick, or well again."""
    others = {part: detail for part, detail in turn.state.parts.items() if part is not event.part}
    turn.change(parts=others if event.healthy else {**others, event.part: event.detail or str(event.part)})


def assess(state: AgentState, now: Now) -> dict[FaultCode, str]:
    """Faults that hold now, each with a detail for the technician."""
    found = {
        FaultCode.STATE_DAMAGED: "stored state was set aside" if state.state_damaged else None,
        FaultCode.CARD_LOST: None if state.sound.card_present else "sound card",
        FaultCode.PLAYER_FAILED: state.sound.failed[0][:64] if state.sound.failed is not None else None,
        FaultCode.SOUND_MISSING: _sound_missing(state, now),
        FaultCode.SOUND_UNEXPECTED: "amplifier muted" if state.sound.muted else None,
        FaultCode.TALK_STUCK: "talk button" if state.talk_stuck else None,
        FaultCode.CLOCK_NOT_TRUSTED: _clock(state, now),
        FaultCode.MEDIA_DAMAGED: _first(state.damaged_media),
        FaultCode.STORAGE_FULL: _storage(state, now),
        FaultCode.LIVE_STALLED: _live_stalled(state),
        FaultCode.MESSAGE_MISSING: state.message_refused[0] if state.message_refused is not None else None,
        **{_PART_FAULTS[part]: detail for part, detail in state.parts.items()},
        **(_by_the_hour(state, now) if now.clock > ClockTrust.NONE else {}),
    }
    return {code: detail for code, detail in found.items() if detail is not None}


def _by_the_hour(state: AgentState, now: Now) -> dict[FaultCode, str | None]:
    held = [schedule for _, schedule in state.force.schedules]
    expired = [one.scope for one in held if now.wall >= one.expires]
    stale = [one.scope for one in held if timeline.is_stale(state, one, now.wall)]
    missing = timeline.unplayable(state, now)
    return {
        FaultCode.SCHEDULE_EXPIRED: _first(expired),
        FaultCode.HEAD_STALE: _first(stale),
        FaultCode.DOCUMENT_WITHHELD: withheld.fault(state, now.mono),
        FaultCode.MEDIA_MISSING: missing[0].item.title if missing else None,
        FaultCode.STREAM_LOST: lost.item.title if (lost := relays.lost(state, now)) is not None else None,
        FaultCode.FM_REFUSED: fm_gate.refusal(state, now),
    }


def _first(names: Iterable[str]) -> str | None:
    return min(names, default=None)


def _sound_missing(state: AgentState, now: Now) -> str | None:
    sound = state.sound
    if isinstance(sound.output, Silence | MicrophoneOutput) or sound.quiet_since is None:
        return None
    return sound.output.key[:64] if now.mono - sound.quiet_since > patience_ms(sound.output) else None


def patience_ms(output: Output) -> int:
    """How long nothing may be measured; the gap between two rounds of an alert is not silence."""
    return SOUND_MISSING_MS + (output.gap_ms if isinstance(output, AlertOutput) else 0)


def _clock(state: AgentState, now: Now) -> str | None:
    waiting = now.clock is ClockTrust.NONE and now.mono - state.booted > CLOCK_GRACE_MS
    return "no second opinion about the time" if waiting else None


def _storage(state: AgentState, now: Now) -> str | None:
    since = state.storage_full_since
    return "disk" if since is not None and now.mono - since < STORAGE_FULL_MS else None


def _live_stalled(state: AgentState) -> str | None:
    return _first(live.stalled(state))
