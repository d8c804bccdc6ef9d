"""When what is due: the schedules of all ancestors merged into one plan, and each occurrence's progress.

Rules kept here: ordinary items come only from the home unit (or the device's own place), priority items from any
ancestor; each occurrence plays at most once; what a power cut or a higher rung interrupted goes on at the present
wall-clock offset if 30 s of it remain; what waited for another item of its own class follows directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge.core.in_force import safe_config
from edge.core.output import ProgrammeOutput, Rung, SlotOutput
from edge.core.state import AgentState, Occurrence, Progress
from protocol.audible_config import AudibleConfig
from protocol.bulletin import CatchUp
from protocol.clock import Now, WallMs
from protocol.schedule import Programme, Schedule
from protocol.units import UnitPath, depth

FRESH_MS: Final = 1500
"""A start this recent counts as on time: the decoder is warm and the first sample is planned."""

REMAINING_MS_MIN: Final = 30_000
TAIL_MS: Final = 1000
"""Time for the sound path to report the end by itself before the clock ends it."""

FAILURES_MAX: Final = 3
_NOBODY: Final[frozenset[UnitPath]] = frozenset()


def config_of(state: AgentState) -> AudibleConfig:
    """The audible configuration in force: the nearest ancestor's, else the product's safe values."""
    return state.force.config or safe_config(state.identity.home)


def last_word(state: AgentState, schedule: Schedule) -> WallMs:
    """When the controller last confirmed what is newest: the newest head, at least the schedule's own date."""
    return max(schedule.issued, state.force.head_issued)


def is_stale(state: AgentState, schedule: Schedule, wall: WallMs) -> bool:
    """No fresh head for longer than the policy."""
    return wall - last_word(state, schedule) > config_of(state).head_age_ms_max


def any_dead(state: AgentState, wall: WallMs) -> bool:
    """Whether FM fallback stands in for stored programmes (behaviour.md, section 3)."""
    return wall >= state.force.first_end


def _dead(state: AgentState, wall: WallMs) -> frozenset[UnitPath]:
    """Whose schedules may not play any more: past their end, or without a fresh head for too long."""
    if wall < state.force.first_end:
        return _NOBODY
    return frozenset(scope for scope, end in state.force.ends if wall >= end)


def alive(state: AgentState, wall: WallMs) -> Iterator[Occurrence]:
    """Occurrences that have begun and not ended, and whose schedule still counts.

    What sounds has begun, even when the clock was set back behind its start: it is not played twice.
    """
    if state.plan is None:
        return
    dead = _dead(state, wall)
    sounding = state.sound.output if isinstance(state.sound.output, ProgrammeOutput) else None
    last = max(wall, sounding.start) if sounding is not None else wall
    for occurrence in state.plan.open:
        if occurrence.start > last:
            return
        begun = occurrence.start <= wall or (sounding is not None and sounds(sounding, occurrence))
        if begun and occurrence.scope not in dead:
            yield occurrence


def is_relay(occurrence: Occurrence) -> bool:
    """Whether it sounds from FM or a web radio: nothing of it is stored."""
    return not isinstance(occurrence.item.content, Programme)


def sounds(output: SlotOutput, occurrence: Occurrence) -> bool:
    """Whether an output is this occurrence's."""
    return (output.scope, output.item, output.start) == (occurrence.scope, occurrence.item.id, occurrence.start)


def rung_of(occurrence: Occurrence) -> Rung:
    """Where an occurrence stands on the ladder."""
    if is_relay(occurrence):
        return Rung.FM_SLOT
    return Rung.PRIORITY if occurrence.is_priority else Rung.ORDINARY


def origin_of(state: AgentState, occurrence: Occurrence, wall: WallMs) -> WallMs | None:
    """Wall time of the first sample, were it to sound now; None when it may not sound."""
    progress = state.progress.get(occurrence.key)
    if progress is not None:
        if progress.done or progress.failures >= FAILURES_MAX:
            return None
        return progress.origin if progress.origin is not None else _turn_of(progress, wall)
    if wall - occurrence.start <= FRESH_MS or occurrence.item.catch_up is CatchUp.RESUME:
        return occurrence.start
    late_restart = occurrence.item.catch_up is CatchUp.RESTART and wall < occurrence.end
    return wall if late_restart else None


def _turn_of(progress: Progress, wall: WallMs) -> WallMs:
    """It waited: it begins when its turn comes, and is joined at the present offset when something held it up."""
    turn = progress.turn
    return wall if turn is None or wall - turn <= FRESH_MS else turn


def output_of(state: AgentState, occurrence: Occurrence, wall: WallMs) -> ProgrammeOutput | None:
    """The output of a stored programme if it may sound at this instant; its media is not looked at."""
    content, origin = occurrence.item.content, origin_of(state, occurrence, wall)
    assert isinstance(content, Programme), "relays have no stored sound"
    if origin is None:
        return None
    config = config_of(state)
    rung = rung_of(occurrence)
    loss = config.priority_attenuation_cdb if rung is Rung.PRIORITY else config.ordinary_attenuation_cdb
    output = ProgrammeOutput(
        rung, occurrence.document, occurrence.item.id, occurrence.start, origin, content.media, loss, occurrence.scope
    )
    remaining_ms = origin + content.duration_ms - wall
    sounding = state.sound.output.key == output.key
    if remaining_ms <= (-TAIL_MS if sounding else 0):
        return None
    if not sounding and wall - origin > FRESH_MS and remaining_ms < REMAINING_MS_MIN:
        return None
    return output


def due(state: AgentState, rung: Rung, now: Now) -> tuple[tuple[Occurrence, ProgrammeOutput], ...]:
    """Programmes of a rung that want to sound now, in the order in which they may."""
    found = []
    for occurrence in alive(state, now.wall):
        if rung_of(occurrence) is rung:
            output = output_of(state, occurrence, now.wall)
            if output is not None:
                found.append((occurrence, output))
    return tuple(sorted(found, key=lambda pair: _order(state, pair, now)))


def _order(
    state: AgentState, pair: tuple[Occurrence, ProgrammeOutput], now: Now
) -> tuple[bool, bool, int, int, WallMs, str]:
    """What has begun goes on and gives way at its end; then the commune's word, the widest unit, the earliest."""
    occurrence, output = pair
    over = now.wall >= output.origin + output.media.duration_ms
    words = _precedence(state)
    name = f"{occurrence.scope}#{occurrence.item.id}"
    place = words.index(name) if name in words else len(words)
    origin = _progress(state, occurrence).origin
    begun = origin is not None and origin <= now.wall and not _is_only_planned(state, occurrence, now.wall)
    return (over, not begun, place, depth(occurrence.scope), occurrence.start, occurrence.item.id)


def _is_only_planned(state: AgentState, occurrence: Occurrence, wall: WallMs) -> bool:
    """What was made ready ahead of its second has not begun: another one may have the better right to that second."""
    if state.sound.planned is None:
        return False
    output, _ = state.sound.planned
    return isinstance(output, ProgrammeOutput) and wall <= output.origin and sounds(output, occurrence)


def _precedence(state: AgentState) -> tuple[str, ...]:
    """The commune's own word on colliding priority items."""
    words = [schedule.precedence for _, schedule in state.force.schedules if schedule.scope == state.identity.home]
    return words[0] if words else ()


def has_media(state: AgentState, output: ProgrammeOutput) -> bool:
    """Whether the sound is stored."""
    return output.media.digest in state.media


def unplayable(state: AgentState, now: Now) -> tuple[Occurrence, ...]:
    """Occurrences whose time it is and that cannot sound: media missing, or a source that broke too often."""
    found = []
    for occurrence in alive(state, now.wall):
        content = occurrence.item.content
        if not isinstance(content, Programme) or now.wall >= occurrence.end:
            continue
        broken = _progress(state, occurrence).failures >= FAILURES_MAX
        if broken or content.media.digest not in state.media:
            found.append(occurrence)
    return tuple(found)


def _progress(state: AgentState, occurrence: Occurrence) -> Progress:
    return state.progress.get(occurrence.key, Progress(WallMs(0)))


def occurrence_of(state: AgentState, output: SlotOutput) -> Occurrence | None:
    """The planned occurrence that an output sounds; None when it has none, or it was withdrawn."""
    if state.plan is None:
        return None
    return next((one for one in state.plan.occurrences if sounds(output, one)), None)


def next_start(state: AgentState, wall: WallMs) -> WallMs | None:
    """The next instant at which something planned begins, or the turn of something that waits comes."""
    return min(coming_starts(state, wall, 0), default=None)


def coming_starts(state: AgentState, wall: WallMs, ahead_ms: int) -> Iterator[WallMs]:
    """The instants at which something begins or has its turn: the next, and what follows it within a time."""
    if state.plan is None:
        return
    turns = (_progress(state, one).turn for one in alive(state, wall))
    yield from (turn for turn in turns if turn is not None and turn > wall)
    first = None
    for occurrence in state.plan.open:
        if occurrence.start > wall:
            first = first or occurrence.start
            if occurrence.start > first + ahead_ms:
                return
            yield occurrence.start
