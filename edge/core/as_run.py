"""The as-run log: one record of each sound, what it was and who is answerable for it."""

from __future__ import annotations

from edge.core import message
from edge.core.events import SoundEnded
from edge.core.output import (
    AlertOutput,
    FmOutput,
    LiveOutput,
    MessageOutput,
    Output,
    ProgrammeOutput,
    SlotOutput,
    StreamOutput,
)
from edge.core.state import AgentState
from edge.core.turn import Turn
from protocol.clock import WallMs
from protocol.limits import TEXT_CHARS_MAX
from protocol.report import AsRun, EndReason


def log(turn: Turn, output: Output, event: SoundEnded, *, reason: EndReason, lost_ms: int) -> None:
    """Writes a sound that is over down."""
    if isinstance(output, StreamOutput) and event.began == event.wall:
        return  # it could not be opened, and is tried again and again: the fault tells that, once
    count = turn.state.as_run_count
    turn.change(as_run_count=count + 1)
    document, item, start = _cause(output)
    turn.report(
        AsRun(
            id=f"{turn.state.boot_id}-{count}-{event.wall}",
            device=turn.state.identity.device,
            rung=int(output.rung),
            source=_source(output),
            began=event.began,
            ended=event.wall,
            end_reason=reason,
            level_cdb=event.level_cdb,
            output_level_cdb=event.output_level_cdb,
            document=document,
            item=item,
            start=start,
            lost_ms=lost_ms,
            stopped_by=_stopped_by(turn.state, output) if reason is EndReason.STOPPED else None,
        )
    )


def _stopped_by(state: AgentState, output: Output) -> str | None:
    """A message ends by a hand at the device; all else by the stop in force."""
    if isinstance(output, MessageOutput):
        return message.PANEL
    return state.stop.by if state.stop is not None else None


def _cause(output: Output) -> tuple[str | None, str | None, WallMs | None]:
    if isinstance(output, SlotOutput):
        return output.document, output.item, output.start
    if isinstance(output, MessageOutput):
        return output.document, f"message-{output.number}", None
    if isinstance(output, AlertOutput | LiveOutput):
        return output.document, None, None
    return None, None, None


def _source(output: Output) -> str:
    if isinstance(output, ProgrammeOutput | MessageOutput):
        return output.media.digest
    if isinstance(output, StreamOutput):
        return output.address[:TEXT_CHARS_MAX]
    if isinstance(output, FmOutput):
        return f"fm {output.frequency_khz} kHz"
    return output.key.partition("/")[0]
