"""The ladder (behaviour.md, section 1): the one table that says what sounds.

The highest rung that has something to say is what sounds. Nothing else in the agent knows priorities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edge.core import fm_gate, live, message, relays, timeline
from edge.core.in_force import Accepted
from edge.core.output import AlertOutput, FmOutput, MicrophoneOutput, Output, Rung, Silence
from edge.core.state import AgentState
from protocol.alert import Alert
from protocol.audible_config import in_any
from protocol.clock import ClockTrust, Now
from protocol.document import Kind

Source = Callable[[AgentState, Now], Output | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: where its sound comes from and what it must respect."""

    rung: Rung
    source: Source
    quiet_hours: bool
    needs_clock: bool
    stoppable: bool


def choose_output(state: AgentState, now: Now) -> Output:
    """What sounds at this instant. The only place with priorities."""
    quiet = now.clock > ClockTrust.NONE and in_any(timeline.config_of(state).quiet_hours, now.wall)
    stopped = state.stop is not None
    for step in LADDER:
        barred = (
            (step.quiet_hours and quiet)
            or (step.needs_clock and now.clock is ClockTrust.NONE)
            or (step.stoppable and stopped)
        )
        output = None if barred else step.source(state, now)
        if output is not None:
            return output
    return Silence()


def _emergency_microphone(state: AgentState, _: Now) -> Output | None:
    if state.talk is None or not state.talk.emergency:
        return None
    return MicrophoneOutput(Rung.EMERGENCY_MICROPHONE, timeline.config_of(state).emergency_attenuation_cdb)


def _microphone(state: AgentState, now: Now) -> Output | None:
    if state.talk is None:
        return None
    config = timeline.config_of(state)
    quiet = now.clock > ClockTrust.NONE and in_any(config.quiet_hours, now.wall)
    if quiet and not config.microphone_in_quiet_hours:
        return None
    return MicrophoneOutput(Rung.MICROPHONE, config.priority_attenuation_cdb)


def alerts(state: AgentState, now: Now, *, actual: bool) -> tuple[tuple[Accepted, Alert], ...]:
    """Alerts that last: higher severity first, then the later one."""
    held = [
        (one, one.document)
        for one in state.trust.documents.values()
        if isinstance(one.document, Alert) and (one.kind is Kind.ALERT) is actual and one.document.expires > now.wall
    ]
    return tuple(sorted(held, key=lambda pair: (-pair[1].severity, -pair[1].issued, pair[1].id)))


def _alert(state: AgentState, now: Now) -> Output | None:
    return _alert_output(alerts(state, now, actual=True), Rung.EMERGENCY, state)


def _drill(state: AgentState, now: Now) -> Output | None:
    return _alert_output(alerts(state, now, actual=False), Rung.PRIORITY, state)


def _alert_output(held: tuple[tuple[Accepted, Alert], ...], rung: Rung, state: AgentState) -> Output | None:
    if not held:
        return None
    accepted, first = held[0]
    config = timeline.config_of(state)
    return AlertOutput(
        document=accepted.digest,
        alert_id=first.id,
        tone=first.tone,
        tone_ms=first.tone_ms,
        gap_ms=first.gap_ms,
        parts=tuple(part for _, alert in held for part in alert.parts),
        attenuation_cdb=config.emergency_attenuation_cdb,
        rung=rung,
        others=tuple(other.digest for other, _ in held[1:]),
    )


def _live(rung: Rung) -> Source:
    return lambda state, now: live.output_of(state, rung, now)


def _programme(rung: Rung) -> Source:
    def source(state: AgentState, now: Now) -> Output | None:
        playable = (output for _, output in timeline.due(state, rung, now) if timeline.has_media(state, output))
        return next(playable, None)

    return source


def _fm(rung: Rung) -> Source:
    def source(state: AgentState, now: Now) -> Output | None:
        wanted = fm_gate.wish(state, now)
        station = fm_gate.station_open(state, wanted)
        if wanted is None or station is None or wanted.rung is not rung:
            return None
        loss = timeline.config_of(state).ordinary_attenuation_cdb
        if wanted.slot is None:
            return FmOutput(rung, station.frequency_khz, attenuation_cdb=loss)
        slot = wanted.slot
        return FmOutput(rung, station.frequency_khz, slot.document, slot.item.id, slot.start, loss, slot.scope)

    return source


LADDER: Final = (
    Step(Rung.EMERGENCY_MICROPHONE, _emergency_microphone, quiet_hours=False, needs_clock=False, stoppable=False),
    Step(Rung.EMERGENCY, _alert, quiet_hours=False, needs_clock=True, stoppable=False),
    Step(Rung.MICROPHONE, _microphone, quiet_hours=False, needs_clock=False, stoppable=False),
    Step(Rung.MICROPHONE, message.output_of, quiet_hours=False, needs_clock=False, stoppable=False),
    Step(Rung.LIVE_PRIORITY, _live(Rung.LIVE_PRIORITY), quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.PRIORITY, _drill, quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.PRIORITY, _programme(Rung.PRIORITY), quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.ORDINARY, _live(Rung.ORDINARY), quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.ORDINARY, _programme(Rung.ORDINARY), quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.FM_SLOT, relays.output_of, quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.FM_SLOT, _fm(Rung.FM_SLOT), quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.FM_FALLBACK, _fm(Rung.FM_FALLBACK), quiet_hours=True, needs_clock=True, stoppable=True),
    # What is left of a source that gives no more: good sound, held a second or two ago, rather than nothing.
    Step(Rung.LIVE_PRIORITY, live.rest_of, quiet_hours=True, needs_clock=True, stoppable=True),
    Step(Rung.FM_SLOT, relays.rest_of, quiet_hours=True, needs_clock=True, stoppable=True),
)
