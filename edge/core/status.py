"""The status: how the device is, told at each change and as a heartbeat."""

from __future__ import annotations

from edge.core.change import replace
from edge.core.output import AlertOutput, FmOutput, MessageOutput, Output, ProgrammeOutput, StreamOutput
from edge.core.state import AgentState
from edge.core.turn import Turn
from protocol.audible_config import AudibleConfig
from protocol.clock import MonoMs, Now
from protocol.denial import Denial
from protocol.report import InForce, Status
from protocol.schedule import Schedule


def tell(turn: Turn) -> None:
    """Sends a status when it is due and the link is up; the seconds since the last one go with it."""
    state = turn.state
    if not state.link_up or turn.now.mono < state.status_due:
        return
    turn.report(status_of(state, turn.now))
    turn.change(
        status_due=MonoMs(turn.now.mono + state.identity.heartbeat_ms),
        sound=replace(state.sound, levels=()),
    )


def status_of(state: AgentState, now: Now) -> Status:
    """The device as it is."""
    wanted = state.force.media
    return Status(
        device=state.identity.device,
        unit=state.identity.place,
        wall=now.wall,
        rung=int(state.sound.output.rung),
        level_cdb=state.sound.level_cdb,
        clock=now.clock.name.lower(),
        agent_version=state.identity.agent_version,
        boot_id=state.boot_id,
        media_held=len(wanted & state.media),
        media_wanted=len(wanted),
        sounding=_sounding(state.sound.output),
        in_force=_in_force(state),
        faults=tuple(state.faults),
        levels=state.sound.levels,
    )


def _sounding(output: Output) -> str | None:
    if isinstance(output, AlertOutput):
        return output.alert_id
    if isinstance(output, ProgrammeOutput | StreamOutput):
        return output.item
    if isinstance(output, MessageOutput):
        return f"message-{output.number}"
    if isinstance(output, FmOutput):
        return f"{output.frequency_khz / 1000:.1f} MHz"
    return None


def _in_force(state: AgentState) -> tuple[InForce, ...]:
    return tuple(
        InForce(one.document.scope, str(one.kind), _number(one.document), one.digest)
        for one in state.trust.documents.values()
        if isinstance(one.document, Schedule | AudibleConfig | Denial)
    )


def _number(document: Schedule | AudibleConfig | Denial) -> int:
    return document.epoch if isinstance(document, Denial) else document.version
