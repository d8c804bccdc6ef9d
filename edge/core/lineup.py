"""Of several programmes that want to sound, which has begun and which waits for its turn.

Whatever is due at its second is marked, also while a higher rung sounds: from then on it follows the wall clock.
"""

from __future__ import annotations

from typing import Final

from edge.core import plan, timeline
from edge.core.change import replace
from edge.core.output import Output, ProgrammeOutput, Rung
from edge.core.state import Occurrence, Progress
from edge.core.turn import Turn
from protocol.clock import WallMs

KEPT_MS: Final = 86_400_000

Due = tuple[tuple[Occurrence, ProgrammeOutput], ...]


def begin(turn: Turn, output: ProgrammeOutput) -> None:
    """Remembers that an output is about to sound."""
    occurrence = timeline.occurrence_of(turn.state, output)
    assert occurrence is not None, "what is chosen stands in the plan"
    _begin(turn, occurrence, output.origin)


def _begin(turn: Turn, occurrence: Occurrence, origin: WallMs) -> None:
    until = WallMs(origin + occurrence.item.content.duration_ms + KEPT_MS)
    former = turn.state.progress.get(occurrence.key, Progress(until, origin))
    plan.mark(turn, occurrence, replace(former, origin=origin, until=until))


def give_up(turn: Turn, planned: Output, instead: Output) -> None:
    """What was told ahead and gives its second to another one of its class has not begun: it waits for its turn."""
    occurrence = None
    if isinstance(planned, ProgrammeOutput) and instead.rung is planned.rung:
        occurrence = timeline.occurrence_of(turn.state, planned)
    progress = turn.state.progress.get(occurrence.key) if occurrence is not None else None
    if occurrence is None or progress is None or progress.heard_ms or progress.ended is not None:
        return
    if progress.turn is not None:
        plan.mark(turn, occurrence, replace(progress, origin=None))
    else:
        plan.unmark(turn, occurrence)


def line_up(turn: Turn) -> None:
    """Of the items of one class that are due at one second the first begins, the others follow directly."""
    for rung in (Rung.PRIORITY, Rung.ORDINARY):
        found = timeline.due(turn.state, rung, turn.now)
        playable = tuple(pair for pair in found if timeline.has_media(turn.state, pair[1]))
        if any(_is_new(turn, occurrence) for occurrence, _ in playable) or _is_overtaken(turn, playable[1:]):
            _give_turns(turn, playable)


def _is_new(turn: Turn, occurrence: Occurrence) -> bool:
    fresh = turn.now.wall - occurrence.start <= timeline.FRESH_MS
    return fresh and occurrence.key not in turn.state.progress


def _is_overtaken(turn: Turn, others: Due) -> bool:
    """Whether somebody's turn has come while another one with the better right is first, told ahead of its second."""
    waiting = (turn.state.progress.get(occurrence.key) for occurrence, _ in others)
    return any(one is not None and one.origin is None and (one.turn or 0) <= turn.now.wall for one in waiting)


def _give_turns(turn: Turn, playable: Due) -> None:
    free = turn.now.wall
    for occurrence, output in playable:
        progress = turn.state.progress.get(occurrence.key)
        waits = progress is not None and progress.origin is None
        if not waits and not _is_new(turn, occurrence):
            free = max(free, occurrence_end(output))
        elif free > turn.now.wall:
            until = WallMs(free + 2 * output.media.duration_ms + KEPT_MS)
            plan.mark(turn, occurrence, Progress(until, turn=free))
            free = WallMs(free + output.media.duration_ms)
        else:
            _begin(turn, occurrence, output.origin)
            free = occurrence_end(output)


def occurrence_end(output: ProgrammeOutput) -> WallMs:
    """When an output comes to its end."""
    return WallMs(output.origin + output.media.duration_ms)
