"""When what is due: the schedules of all ancestors merged into one plan, and each occurrence's progress.

Rules kept here: ordinary items come only from the home unit (or the device's own place), priority items from any
ancestor; each occurrence plays at most once; what a power cut or a higher rung interrupted goes on at the present
wall-clock offset if 30 s of it remain; what waited for another item of its own class follows directly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from edge.core.output import ProgrammeOutput, Rung
from edge.core.state import Accepted, AgentState, Occurrence, Plan, Progress
from edge.core.turn import Turn
from protocol.audible_config import DEFAULT_QUIET_HOURS, AudibleConfig
from protocol.bulletin import CatchUp
from protocol.clock import Now, WallMs
from protocol.freshness import Head
from protocol.limits import MEDIA_DURATION_MS_MAX
from protocol.schedule import Programme, Relay, Schedule
from protocol.units import addresses, covers, depth

PLAN_AHEAD_MS: Final = 26 * 3_600_000
PLAN_LIFE_MS: Final = 3_600_000
FRESH_MS: Final = 1500
"""A start this recent counts as on time: the decoder is warm and the first sample is planned."""

REMAINING_MS_MIN: Final = 30_000
TAIL_MS: Final = 1000
"""Time for the sound path to report the end by itself before the clock ends it."""

FAILURES_MAX: Final = 3
PROGRESS_KEPT_MS: Final = 86_400_000


def config_of(state: AgentState) -> AudibleConfig:
    """The audible configuration in force: the nearest ancestor's, else the product's safe values."""
    found = [one.document for one in state.trust.documents.values() if isinstance(one.document, AudibleConfig)]
    if found:
        return max(found, key=lambda config: depth(config.scope))
    return AudibleConfig(state.identity.home, version=0, issued=WallMs(0), quiet_hours=DEFAULT_QUIET_HOURS)


def schedules(state: AgentState) -> tuple[tuple[Accepted, Schedule], ...]:
    """Schedules held, widest unit first."""
    held = [(one, one.document) for one in state.trust.documents.values() if isinstance(one.document, Schedule)]
    return tuple(sorted(held, key=lambda pair: pair[1].scope))


def last_word(state: AgentState, schedule: Schedule) -> WallMs:
    """When the controller last confirmed what is newest: the newest head, at least the schedule's own date."""
    heads = [one.document.issued for one in state.trust.documents.values() if isinstance(one.document, Head)]
    return WallMs(max(schedule.issued, *heads)) if heads else schedule.issued


def is_stale(state: AgentState, schedule: Schedule, wall: WallMs) -> bool:
    """No fresh head for longer than the policy."""
    return wall - last_word(state, schedule) > config_of(state).head_age_ms_max


def is_dead(state: AgentState, schedule: Schedule, wall: WallMs) -> bool:
    """A schedule that may not play any more: past its end, or without a fresh head for too long."""
    return wall >= schedule.expires or is_stale(state, schedule, wall)


def any_dead(state: AgentState, wall: WallMs) -> bool:
    """Whether FM fallback stands in for stored programmes (behaviour.md, section 3)."""
    return any(is_dead(state, schedule, wall) for _, schedule in schedules(state))


def refresh_plan(turn: Turn) -> None:
    """Makes the plan anew when documents changed, the hour passed or the clock stepped."""
    plan, wall = turn.state.plan, turn.now.wall
    if not turn.clock_believed:
        turn.change(plan=None)
        return
    if plan is not None and plan.begin + MEDIA_DURATION_MS_MAX <= wall < plan.end - PLAN_AHEAD_MS + PLAN_LIFE_MS:
        return
    begin, end = WallMs(wall - MEDIA_DURATION_MS_MAX), WallMs(wall + PLAN_AHEAD_MS)
    occurrences = sorted(_occurrences(turn.state, begin, end), key=lambda one: (one.start, one.scope, one.item.id))
    turn.change(plan=Plan(tuple(occurrences), begin, end))
    _forget_progress(turn)


def _occurrences(state: AgentState, begin: WallMs, end: WallMs) -> Iterator[Occurrence]:
    for held, schedule in schedules(state):
        if schedule.expires <= begin:
            continue
        for item in schedule.items:
            if not addresses(item.targets, state.identity.place):
                continue
            for start in item.when.between(begin, min(end, schedule.expires)):
                occurrence = Occurrence(held.digest, schedule.scope, item, start)
                if occurrence.is_priority or covers(state.identity.home, schedule.scope):
                    yield occurrence


def _forget_progress(turn: Turn) -> None:
    kept = {key: one for key, one in turn.state.progress.items() if one.until > turn.now.wall}
    if kept != turn.state.progress:
        turn.change(progress=kept)
        turn.dirty = True


def alive(state: AgentState, wall: WallMs) -> Iterator[Occurrence]:
    """Occurrences that have begun and whose schedule still counts."""
    if state.plan is None:
        return
    dead = {schedule.scope for _, schedule in schedules(state) if is_dead(state, schedule, wall)}
    for occurrence in state.plan.occurrences:
        if occurrence.start > wall:
            return
        if occurrence.scope not in dead:
            yield occurrence


def rung_of(occurrence: Occurrence) -> Rung:
    """Where an occurrence stands on the ladder."""
    if isinstance(occurrence.item.content, Relay):
        return Rung.FM_SLOT
    return Rung.PRIORITY if occurrence.is_priority else Rung.ORDINARY


def origin_of(state: AgentState, occurrence: Occurrence, wall: WallMs) -> WallMs | None:
    """Wall time of the first sample, were it to sound now; None when it may not sound."""
    progress = state.progress.get(occurrence.key)
    if progress is not None:
        if progress.done or progress.failures >= FAILURES_MAX:
            return None
        return progress.origin if progress.origin is not None else wall
    if wall - occurrence.start <= FRESH_MS or occurrence.item.catch_up is CatchUp.RESUME:
        return occurrence.start
    late_restart = occurrence.item.catch_up is CatchUp.RESTART and wall < occurrence.end
    return wall if late_restart else None


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
        rung, occurrence.document, occurrence.item.id, occurrence.start, origin, content.media, loss
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
    return tuple(sorted(found, key=lambda pair: _order(state, pair, now.wall)))


def _order(
    state: AgentState, pair: tuple[Occurrence, ProgrammeOutput], wall: WallMs
) -> tuple[bool, int, int, WallMs, str]:
    occurrence, output = pair
    in_its_time = wall < output.origin + output.media.duration_ms
    running = in_its_time and state.sound.output.key == output.key
    words = _precedence(state)
    name = f"{occurrence.scope}#{occurrence.item.id}"
    place = words.index(name) if name in words else len(words)
    return (not running, place, depth(occurrence.scope), occurrence.start, occurrence.item.id)


def _precedence(state: AgentState) -> tuple[str, ...]:
    """The commune's own word on colliding priority items."""
    words = [schedule.precedence for _, schedule in schedules(state) if schedule.scope == state.identity.home]
    return words[0] if words else ()


def has_media(state: AgentState, output: ProgrammeOutput) -> bool:
    """Whether the sound is stored."""
    return output.media.digest in state.media


def unplayable(state: AgentState, now: Now) -> tuple[Occurrence, ...]:
    """Occurrences whose time it is and that cannot sound: media missing, or a source that broke too often."""
    found = []
    for occurrence in alive(state, now.wall):
        content = occurrence.item.content
        if isinstance(content, Relay) or now.wall >= occurrence.end:
            continue
        progress = state.progress.get(occurrence.key, Progress(WallMs(0)))
        broken = progress.failures >= FAILURES_MAX
        if broken or (not progress.done and content.media.digest not in state.media):
            found.append(occurrence)
    return tuple(found)


def relay_due(state: AgentState, now: Now) -> tuple[Occurrence, Relay] | None:
    """The FM relay slot of this instant; priority first, then the widest unit."""
    found = [
        (occurrence, occurrence.item.content)
        for occurrence in alive(state, now.wall)
        if isinstance(occurrence.item.content, Relay)
        and now.wall < occurrence.end
        and not _progress(state, occurrence).done
    ]
    return min(found, key=lambda pair: (not pair[0].is_priority, depth(pair[0].scope)), default=None)


def _progress(state: AgentState, occurrence: Occurrence) -> Progress:
    return state.progress.get(occurrence.key, Progress(WallMs(0)))


def occurrence_at(state: AgentState, item: str, start: WallMs) -> Occurrence | None:
    """The occurrence of an output."""
    if state.plan is None:
        return None
    return next((one for one in state.plan.occurrences if one.item.id == item and one.start == start), None)


def mark(turn: Turn, occurrence: Occurrence, progress: Progress) -> None:
    """Remembers how far an occurrence has come; durable before the next effect."""
    if turn.state.progress.get(occurrence.key) != progress:
        turn.change(progress={**turn.state.progress, occurrence.key: progress})
        turn.dirty = True


def begin(turn: Turn, output: ProgrammeOutput) -> None:
    """Remembers that an output is about to sound."""
    occurrence = occurrence_at(turn.state, output.item, output.start)
    assert occurrence is not None, "what is chosen stands in the plan"
    until = WallMs(output.origin + output.media.duration_ms + PROGRESS_KEPT_MS)
    former = turn.state.progress.get(occurrence.key, Progress(until, output.origin))
    mark(turn, occurrence, replace(former, origin=output.origin, until=until))


def let_wait(turn: Turn) -> None:
    """Of several items of one class at one second, those that are not first follow directly, with their beginning."""
    for rung in (Rung.PRIORITY, Rung.ORDINARY):
        for occurrence, output in due(turn.state, rung, turn.now)[1:]:
            fresh = turn.now.wall - occurrence.start <= FRESH_MS
            if fresh and occurrence.key not in turn.state.progress and has_media(turn.state, output):
                mark(turn, occurrence, Progress(WallMs(occurrence.end + MEDIA_DURATION_MS_MAX)))


def next_start(state: AgentState, wall: WallMs) -> WallMs | None:
    """The next planned start after an instant."""
    if state.plan is None:
        return None
    return next((one.start for one in state.plan.occurrences if one.start > wall), None)


def catch_up(turn: Turn) -> None:
    """After a power cut: what had begun and not ended goes on, begins again or is left, as its item says.

    Once in a boot, as soon as the clock is believed and a plan can be made.
    """
    if turn.state.caught_up or turn.state.plan is None:
        return
    turn.change(caught_up=True)
    for occurrence in turn.state.plan.occurrences:
        progress = turn.state.progress.get(occurrence.key)
        if progress is None or progress.done or progress.origin is None:
            continue
        if occurrence.item.catch_up is CatchUp.SKIP:
            mark(turn, occurrence, replace(progress, done=True))
        elif occurrence.item.catch_up is CatchUp.RESTART and turn.now.wall < occurrence.end:
            mark(turn, occurrence, replace(progress, origin=None))
