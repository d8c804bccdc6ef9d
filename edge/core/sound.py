"""From the chosen output to the sound path.

A switch is told at once, a planned start ahead of its second, so the decoder is warm and the first sample leaves in
time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from edge.core import fm_gate, lineup, live, message, relays, timeline
from edge.core.arbiter import choose_output
from edge.core.change import replace
from edge.core.effects import MuteAmplifier, ShiftWall, SwitchOutput
from edge.core.output import (
    AlertOutput,
    FmOutput,
    LiveOutput,
    MessageOutput,
    MicrophoneOutput,
    Output,
    ProgrammeOutput,
    Rung,
    Silence,
    SlotOutput,
    StreamOutput,
)
from edge.core.state import AgentState
from edge.core.turn import Turn
from protocol.clock import MonoMs, WallMs
from protocol.report import EndReason

T = TypeVar("T")

PREPARE_MS: Final = relays.OPEN_AHEAD_MS
"""A player's child on a cold card takes seconds to begin; a programme shall begin at its second all the same."""
HURRY_MS: Final = 2500
"""So late what has not begun yet is forgotten for what comes next."""
_SETTLE_MS: Final = 100
SAME_INSTANT_MS: Final = 5
SAME_END_MS: Final = 200
"""A successor that was planned may report its first sample a moment before the clock here says so."""

TOLD_MAX: Final = 16


def shift_wall(turn: Turn, shift_ms: int) -> None:
    """Tells the sound path how far the believed hour is from the system's, before anything is placed by it."""
    sound = turn.state.sound
    if turn.clock_believed and abs(shift_ms - sound.shift_ms) > SAME_INSTANT_MS:
        turn.change(sound=replace(sound, shift_ms=shift_ms))
        turn.do(ShiftWall(shift_ms))


def conduct(turn: Turn) -> None:
    """Tells the sound path what sounds now and what begins soon."""
    lineup.line_up(turn)
    current = _until_there(turn, _not_broken(turn, choose_output(turn.state, turn.now)))
    if turn.state.message is not None and not isinstance(current, MessageOutput):
        message.end(turn)
    if current.key != turn.state.sound.output.key:
        _switch(turn, current)
    _prepare(turn, current)


def conduct_unsaved(turn: Turn) -> None:
    """The same while nothing can be stored: no stored programme begins, since it would have to be marked first."""
    current = _until_there(turn, _not_broken(turn, choose_output(turn.state, turn.now)))
    if current.key == turn.state.sound.output.key:
        return
    _switch(turn, Silence() if isinstance(current, ProgrammeOutput) else current)


def _not_broken(turn: Turn, output: Output) -> Output:
    failed = turn.state.sound.failed
    if failed is not None and failed[0] == output.key and turn.now.mono < failed[1]:
        return Silence()
    return output


def _until_there(turn: Turn, output: Output) -> Output:
    """FM that stands in for a web radio goes on until that is there; what was opened for nothing left no gap.

    The sound path holds on to it by itself: where its gate has shut meanwhile, it is told to be silent first.
    """
    sound = turn.state.sound
    if not isinstance(output, StreamOutput) or output != relays.awaited(turn.state, turn.now):
        return output
    assert isinstance(sound.output, FmOutput), "it stands in"
    station = fm_gate.station_open(turn.state, fm_gate.wish(turn.state, turn.now))
    if station is None or station.frequency_khz != sound.output.frequency_khz:
        return Silence()
    if sound.planned is None:
        _tell(turn, output, turn.now.mono)
        turn.change(sound=replace(turn.state.sound, planned=(output, turn.now.mono)))
    return sound.output


def _switch(turn: Turn, output: Output) -> None:
    sound = turn.state.sound
    reason = why_ended(turn, sound.output, output)
    was_planned = sound.planned is not None and sound.planned[0].key == output.key
    if not was_planned:
        _tell(turn, output, turn.now.mono)
    if turn.state.sound.muted and not isinstance(output, Silence):
        turn.do(MuteAmplifier(False))
    turn.change(
        sound=replace(
            turn.state.sound,
            output=output,
            output_since=turn.now.mono,
            planned=None,
            endings=newest(sound.endings, sound.output.key, reason),
            quiet_since=turn.now.mono,
            loud_since=None,
            muted=turn.state.sound.muted and isinstance(output, Silence),
        ),
    )
    turn.hasten_status()


def _tell(turn: Turn, output: Output, at: MonoMs) -> None:
    if isinstance(output, ProgrammeOutput):
        lineup.begin(turn, output)
    turn.change(sound=replace(turn.state.sound, told=newest(turn.state.sound.told, output.key, output)))
    turn.do(SwitchOutput(output, at))


def newest(entries: Mapping[str, T], key: str, value: T) -> dict[str, T]:
    """The newest of what is remembered by key, with one more; what comes again is as new as what never was."""
    others = [(name, entry) for name, entry in entries.items() if name != key]
    return dict([*others, (key, value)][-TOLD_MAX:])


def why_ended(turn: Turn, old: Output, new: Output) -> EndReason:
    """Why an output gives way to another."""
    if turn.state.stop is not None and Rung.LIVE_PRIORITY <= old.rung <= Rung.FM_FALLBACK:
        return EndReason.STOPPED
    if new.rung < old.rung:
        return EndReason.INTERRUPTED
    if isinstance(old, AlertOutput):
        return _why_alert_ended(turn, old, new)
    if isinstance(old, MessageOutput):
        return _why_message_ended(turn, old, new)
    if isinstance(old, StreamOutput) and relays.is_resting(turn.state, old, turn.now):
        return EndReason.SOURCE_FAILED
    if isinstance(old, SlotOutput):
        return _why_item_ended(turn, old)
    if isinstance(old, LiveOutput):
        return live.why_ended(turn.state, old.session_id)
    return EndReason.COMPLETE


def _why_alert_ended(turn: Turn, old: AlertOutput, new: Output) -> EndReason:
    trust = turn.state.trust
    if any(one.digest == old.document for one in trust.documents.values()):
        return EndReason.SUPERSEDED if isinstance(new, AlertOutput) else EndReason.WINDOW_CLOSED
    cancelled = any(mark.alert_id == old.alert_id for mark in trust.cancelled)
    return EndReason.CANCELLED if cancelled else EndReason.COMPLETE


def _why_message_ended(turn: Turn, old: MessageOutput, new: Output) -> EndReason:
    if isinstance(new, MicrophoneOutput):
        return EndReason.INTERRUPTED
    if isinstance(new, MessageOutput):
        return EndReason.SUPERSEDED
    named = any(one.media == old.media for one in timeline.config_of(turn.state).messages)
    return EndReason.STOPPED if named else EndReason.CANCELLED


def _why_item_ended(turn: Turn, old: SlotOutput) -> EndReason:
    if isinstance(old, ProgrammeOutput) and turn.now.wall >= lineup.occurrence_end(old) - SAME_END_MS:
        return EndReason.COMPLETE
    withdrawn = timeline.occurrence_of(turn.state, old) is None
    planned = old.item is not None and turn.state.plan is not None
    return EndReason.CANCELLED if planned and withdrawn else EndReason.WINDOW_CLOSED


def _prepare(turn: Turn, current: Output) -> None:
    if turn.now.mono < settles_at(turn.state):
        return
    coming = _coming(turn, current)
    planned = turn.state.sound.planned
    if coming is None:
        if planned is not None and planned[0] != relays.awaited(turn.state, turn.now):
            _tell(turn, current, turn.now.mono)
            turn.change(sound=replace(turn.state.sound, planned=None))
        return
    output, at = coming
    if planned is not None and planned[0].key == output.key and abs(planned[1] - at) <= SAME_INSTANT_MS:
        return
    if planned is not None:
        lineup.give_up(turn, planned[0], output)
    _tell(turn, output, at)
    turn.change(sound=replace(turn.state.sound, planned=coming))


def _coming(turn: Turn, current: Output) -> tuple[Output, MonoMs] | None:
    """The stored programme or web radio that will be chosen at the next start, if that is near."""
    for start in sorted(_starts(turn)):
        at = turn.mono_at(start)
        output = choose_output(turn.state, replace(turn.now, wall=start, mono=at))
        if output.key == current.key:
            continue
        if isinstance(output, ProgrammeOutput) and _is_near(turn, current, start):
            return output, turn.mono_at(output.origin)
        if isinstance(output, StreamOutput) and _has_begun(turn, current):
            return output, at
    return None


def _is_near(turn: Turn, current: Output, start: WallMs) -> bool:
    """Whether it is time to open what begins then."""
    ahead_ms = start - turn.now.wall
    return ahead_ms <= HURRY_MS or (ahead_ms <= PREPARE_MS and _has_begun(turn, current))


def settles_at(state: AgentState) -> MonoMs:
    """When a switch has reached the sound path's next frame: one that is told before would make it forgotten."""
    return MonoMs(state.sound.output_since + _SETTLE_MS)


def _has_begun(turn: Turn, current: Output) -> bool:
    """What was told to sound is not forgotten for something that comes in seconds."""
    return isinstance(current, Silence) or turn.state.sound.started == current.key


def _starts(turn: Turn) -> set[WallMs]:
    """Instants at which another sound may begin, as far as one is got ready ahead."""
    state, now = turn.state, turn.now
    found = (timeline.next_start(state, now.wall), relays.comes_back(state, now))
    return {start for start in found if start is not None and start - now.wall <= relays.OPEN_AHEAD_MS}
