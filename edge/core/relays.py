"""Relay slots: whose turn it is, and web radios that break off (behaviour.md, sections 1 and 3).

A web radio that cannot be opened, ends or gives nothing rests for a while; meanwhile the next relay, FM in its
window or silence sounds. It is opened again while that goes on, and takes over only when it is there and its rest is
over, so a bad station never makes the horn flap. Until it is there, FM that stands in goes on behind its own gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge.core import timeline
from edge.core.change import replace
from edge.core.output import FmOutput, Rung, StreamOutput
from edge.core.state import AgentState, Occurrence
from edge.core.turn import Turn
from protocol.clock import MonoMs, Now, WallMs
from protocol.schedule import Relay
from protocol.stream import StreamRelay
from protocol.units import depth

REST_MS: Final = 12_000
"""From breaking off to sounding again at the earliest."""
OPEN_AHEAD_MS: Final = 8000
"""A station is opened so long before it sounds: it answers within seconds and fills three of them."""
HELD_MS_MAX: Final = 6000
"""More than any sound path holds of a stream."""
RESTING_MAX: Final = 16


def due(state: AgentState, now: Now) -> Occurrence | None:
    """The relay slot of this instant whose source may be tried; priority first, then the widest unit."""
    found = (one for one in _slots(state, now) if not is_resting(state, _output(state, one), now))
    return min(found, key=lambda one: (not one.is_priority, depth(one.scope)), default=None)


def _slots(state: AgentState, now: Now) -> Iterator[Occurrence]:
    for occurrence in timeline.alive(state, now.wall):
        if timeline.is_relay(occurrence) and now.wall < occurrence.end:
            yield occurrence


def _output(state: AgentState, occurrence: Occurrence) -> StreamOutput | None:
    """None for a slot of FM."""
    content = occurrence.item.content
    if not isinstance(content, StreamRelay):
        return None
    return StreamOutput(
        Rung.FM_SLOT,
        occurrence.document,
        occurrence.item.id,
        occurrence.start,
        content.address,
        timeline.config_of(state).ordinary_attenuation_cdb,
        occurrence.scope,
    )


def is_resting(state: AgentState, output: StreamOutput | None, now: Now) -> bool:
    """Whether a web radio broke off a moment ago."""
    return output is not None and state.sound.resting.get(output.key, now.mono) > now.mono


def fm_due(state: AgentState, now: Now) -> tuple[Occurrence, Relay] | None:
    """The slot of this instant if it is one of FM."""
    slot = due(state, now)
    content = slot.item.content if slot is not None else None
    return (slot, content) if slot is not None and isinstance(content, Relay) else None


def output_of(state: AgentState, now: Now) -> StreamOutput | None:
    """The web radio of this instant."""
    slot = due(state, now)
    return None if slot is None else _output(state, slot)


def rest_of(state: AgentState, now: Now) -> StreamOutput | None:
    """What is held of the web radio that sounds and gives no more."""
    output = state.sound.output
    if not isinstance(output, StreamOutput) or not is_resting(state, output, now):
        return None
    failed = MonoMs(state.sound.resting[output.key] - REST_MS)
    in_slot = any(_output(state, one) == output for one in _slots(state, now))
    return output if in_slot and now.mono < failed + HELD_MS_MAX else None


def lost(state: AgentState, now: Now) -> Occurrence | None:
    """A web radio whose slot it is and that gives nothing."""
    return next((one for one in _slots(state, now) if is_resting(state, _output(state, one), now)), None)


def awaited(state: AgentState, now: Now) -> StreamOutput | None:
    """A web radio whose time it is and that is not there yet, while FM stands in for it."""
    sound = state.sound
    if not isinstance(sound.output, FmOutput) or sound.output.rung is not Rung.FM_FALLBACK:
        return None
    output = output_of(state, now)
    return output if output is not None and sound.started != output.key else None


def rest(turn: Turn, key: str) -> None:
    """It broke off, or could not be opened."""
    until = MonoMs(turn.now.mono + REST_MS)
    others = tuple((name, at) for name, at in turn.state.sound.resting.items() if name != key)
    turn.change(sound=replace(turn.state.sound, resting=dict([*others, (key, until)][-RESTING_MAX:])))


def go_on(turn: Turn, key: str) -> None:
    """It gives sound again before what was held of it ran out."""
    left = {name: at for name, at in turn.state.sound.resting.items() if name != key}
    turn.change(sound=replace(turn.state.sound, resting=left))


def comes_back(state: AgentState, now: Now) -> WallMs | None:
    """When a web radio whose slot lasts will have rested."""
    ends = [
        WallMs(now.wall + state.sound.resting[output.key] - now.mono)
        for one in _slots(state, now)
        if (output := _output(state, one)) is not None and is_resting(state, output, now)
    ]
    return min(ends, default=None)
