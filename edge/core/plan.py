"""The plan: occurrences of all schedules around the present, and which of them are still open."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from edge.core.change import replace
from edge.core.state import AgentState, Occurrence, Plan, Progress
from edge.core.turn import Turn
from protocol.clock import WallMs
from protocol.limits import MEDIA_DURATION_MS_MAX

AHEAD_MS: Final = 26 * 3_600_000
LIFE_MS: Final = 3_600_000
BEHIND_MS: Final = 2 * MEDIA_DURATION_MS_MAX
"""The longest programme may begin again just before its end, or wait as long for its turn."""

OCCURRENCES_MAX: Final = 8000
MARKS_MAX: Final = 10_000
"""What the registers can hold: a schedule of a start each second must not cost a device its high-waters."""


def refresh(turn: Turn) -> None:
    """Makes the plan anew when documents changed, the hour passed or the clock stepped."""
    plan, wall = turn.state.plan, turn.now.wall
    if not turn.clock_believed:
        turn.change(plan=None)
        return
    if plan is not None and plan.begin + BEHIND_MS <= wall < renewed_at(plan):
        return
    _forget_progress(turn)
    begin, end = WallMs(wall - BEHIND_MS), WallMs(wall + AHEAD_MS)
    found = sorted(_occurrences(turn.state, begin, end), key=lambda one: (one.start, one.scope, one.item.id))
    kept = tuple(found[:OCCURRENCES_MAX])
    progress = turn.state.progress
    still = tuple(one for one in kept if not (one.key in progress and progress[one.key].done))
    turn.change(plan=Plan(kept, begin, end, still))


def renewed_at(plan: Plan) -> WallMs:
    """When it has grown old."""
    return WallMs(plan.end - AHEAD_MS + LIFE_MS)


def _occurrences(state: AgentState, begin: WallMs, end: WallMs) -> Iterator[Occurrence]:
    expires = {held.digest: schedule.expires for held, schedule in state.force.schedules}
    for heard in state.force.items:
        for start in heard.item.when.between(begin, min(end, expires[heard.held.digest])):
            yield Occurrence(heard.held.digest, heard.scope, heard.item, start)


def _forget_progress(turn: Turn) -> None:
    kept = {key: one for key, one in turn.state.progress.items() if one.until > turn.now.wall}
    if kept != turn.state.progress:
        turn.change(progress=kept)
        turn.dirty = True


def mark(turn: Turn, occurrence: Occurrence, progress: Progress) -> None:
    """Remembers how far an occurrence has come; durable before the next effect."""
    if turn.state.progress.get(occurrence.key) != progress:
        marks = {**turn.state.progress, occurrence.key: progress}
        turn.change(progress=dict(islice(marks.items(), max(0, len(marks) - MARKS_MAX), None)))
        turn.dirty = True
    if progress.done:
        close(turn, [occurrence])


def unmark(turn: Turn, occurrence: Occurrence) -> None:
    """It has not begun after all."""
    marks = {key: one for key, one in turn.state.progress.items() if key != occurrence.key}
    turn.change(progress=marks)
    turn.dirty = True


def close(turn: Turn, occurrences: list[Occurrence]) -> None:
    """They need no further look."""
    plan, gone = turn.state.plan, {one.key for one in occurrences}
    if plan is not None and gone:
        turn.change(plan=replace(plan, open=tuple(one for one in plan.open if one.key not in gone)))
