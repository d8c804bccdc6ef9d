"""When the agent must look again although nothing happens: the earliest of all that is timed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge.core import clock_trust, fm_gate, health, live, message, proof, relays, sound, timeline, withheld
from edge.core.output import LiveOutput, ProgrammeOutput, Silence
from edge.core.state import AgentState
from protocol.alert import Alert
from protocol.audible_config import AudibleConfig
from protocol.clock import DAY_MS, ClockTrust, MonoMs, Now, WallMs, local_second
from protocol.live import LiveSession

LOOK_MS_MAX: Final = 60_000
FM_LOOK_MS: Final = 1000
STICK_SHOWN_MS: Final = 10_000


def wake_at(state: AgentState, now: Now) -> MonoMs:
    """The next instant at which something may change by time alone."""
    monos = [mono for mono in _monotonic(state, now) if mono > now.mono]
    walls = [wall for wall in _wall(state, now) if wall > now.wall] if now.clock > ClockTrust.NONE else []
    return MonoMs(min([now.mono + LOOK_MS_MAX, *monos, *(now.mono + wall - now.wall for wall in walls)]))


def _monotonic(state: AgentState, now: Now) -> Iterator[int]:
    config = timeline.config_of(state)
    if state.link_up:
        yield state.status_due
    if now.clock is ClockTrust.NONE and state.clock.asked is not None:
        yield state.clock.asked + clock_trust.ASK_AGAIN_MS
    if state.talk is not None:
        yield state.talk.since + config.talk_ms_max
    yield sound.settles_at(state)
    if state.stick is not None:
        yield state.stick.at + STICK_SHOWN_MS
    if state.message is not None:
        yield message.over_at(state.message)
    if state.message_refused is not None:
        yield message.forgotten_at(state.message_refused)
    yield from (one.last + live.STALL_MS for one in state.lives.values() if one.flowing)
    yield from _rests(state)
    if state.fm.frequency_khz is not None or fm_gate.wish(state, now) is not None:
        yield now.mono + FM_LOOK_MS
    if state.sound.failed is not None:
        yield state.sound.failed[1]
        yield state.sound.failed[1] + proof.RETRY_MS * 10
    if not isinstance(state.sound.output, Silence) and state.sound.quiet_since is not None:
        yield state.sound.quiet_since + health.patience_ms(state.sound.output) + 1
    if state.storage_full_since is not None:
        yield state.storage_full_since + health.STORAGE_FULL_MS
    if state.trust.withheld_since is not None:
        yield state.trust.withheld_since + withheld.PATIENCE_MS
    yield state.booted + health.CLOCK_GRACE_MS + 1


def _rests(state: AgentState) -> Iterator[int]:
    """When what is held of a source that gives no more is over, and when a web radio comes back."""
    if isinstance(state.sound.output, LiveOutput):
        yield from (live.rest_ends(one) for one in state.lives.values())
    for until in state.sound.resting.values():
        yield until - relays.REST_MS + relays.HELD_MS_MAX
        yield until - relays.OPEN_AHEAD_MS
        yield until


def _wall(state: AgentState, now: Now) -> Iterator[int]:
    yield from _documents(state)
    yield from _window_edges(timeline.config_of(state), now.wall)
    if state.stop is not None:
        yield state.stop.until
    start = timeline.next_start(state, now.wall)
    if start is not None:
        yield start - sound.HURRY_MS
        yield start - relays.OPEN_AHEAD_MS
        yield start - fm_gate.LISTEN_AHEAD_MS
        yield start
    output = state.sound.output
    if isinstance(output, ProgrammeOutput):
        end = output.origin + output.media.duration_ms
        yield end + timeline.TAIL_MS
        yield end + proof.SETTLE_MS
    for occurrence in timeline.alive(state, now.wall):
        yield occurrence.end
        yield proof.settles_at(occurrence, state.progress.get(occurrence.key))


def _documents(state: AgentState) -> Iterator[int]:
    for held in state.trust.documents.values():
        if isinstance(held.document, Alert | LiveSession):
            yield held.document.expires
    for _, schedule in state.force.schedules:
        yield schedule.expires
        yield timeline.last_word(state, schedule) + timeline.config_of(state).head_age_ms_max + 1


def _window_edges(config: AudibleConfig, wall: WallMs) -> Iterator[int]:
    midnight = wall - local_second(wall) * 1000 - wall % 1000
    for window in (*config.quiet_hours, *config.fm_windows):
        for second in (window.begin_s, window.end_s):
            yield midnight + second * 1000
            yield midnight + second * 1000 + DAY_MS
            yield midnight + second * 1000 - fm_gate.LISTEN_AHEAD_MS
            yield midnight + second * 1000 + DAY_MS - fm_gate.LISTEN_AHEAD_MS
