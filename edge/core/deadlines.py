"""When the agent must look again although nothing happens: the earliest of all that is timed.

Most of it stands until something happens (`horizon`); what each measurement puts off is worked out anew (`soon`), so
that a second in which all goes as expected costs almost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge.core import (
    clock_trust,
    fm_gate,
    guarding,
    health,
    live,
    message,
    plan,
    proof,
    relays,
    sound,
    timeline,
    withheld,
)
from edge.core.output import LiveOutput, ProgrammeOutput, Silence
from edge.core.state import AgentState
from protocol.alert import Alert
from protocol.audible_config import AudibleConfig
from protocol.clock import DAY_MS, ClockTrust, MonoMs, Now, WallMs, local_second
from protocol.live import LiveSession

LOOK_MS: Final = 60_000
FM_LOOK_MS: Final = 1000
STICK_SHOWN_MS: Final = 10_000


def horizon(state: AgentState, now: Now) -> MonoMs:
    """The next instant at which something may change by time alone, but for what measurements put off."""
    monos = [mono for mono in _monotonic(state, now) if mono > now.mono]
    walls = [wall for wall in _wall(state, now) if wall > now.wall] if now.clock > ClockTrust.NONE else []
    return MonoMs(min([*monos, *(now.mono + wall - now.wall for wall in walls)], default=now.mono + DAY_MS))


def wake_at(state: AgentState, now: Now) -> MonoMs:
    """When to look again; a look in vain comes with every heartbeat, and at least as often."""
    look = now.mono + max(LOOK_MS, state.identity.heartbeat_ms)
    calm = state.calm.until if state.calm is not None else look
    return MonoMs(min([look, calm, *(one for one in _put_off(state) if one > now.mono)]))


def is_calm(state: AgentState, now: Now) -> bool:
    """Whether nothing has changed by time alone since everything was looked at."""
    calm = state.calm
    if calm is None or now.mono >= calm.until or now.clock is not calm.clock:
        return False
    steady = abs(now.wall - now.mono - calm.offset_ms) <= sound.SAME_INSTANT_MS
    return steady and not any(calm.looked < one <= now.mono for one in _put_off(state, status=False))


def _put_off(state: AgentState, *, status: bool = True) -> Iterator[int]:
    """What a measurement, or a status that is sent, puts off."""
    if status and state.link_up:
        yield state.status_due
    quiet_since = state.sound.quiet_since
    if quiet_since is not None and not isinstance(state.sound.output, Silence):
        yield quiet_since + health.patience_ms(state.sound.output) + 1
    if state.fm.opened is not None:
        yield state.fm.measured + fm_gate.READING_AGE_MS_MAX
        yield state.fm.identified + fm_gate.IDENTITY_AGE_MS_MAX


def _monotonic(state: AgentState, now: Now) -> Iterator[int]:
    config = timeline.config_of(state)
    if now.clock is ClockTrust.NONE and state.clock.asked is not None:
        yield state.clock.asked + clock_trust.ASK_AGAIN_MS
    if now.clock is ClockTrust.NONE and config.fm_stations:
        yield fm_gate.next_hour_telling(now.mono)
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
    yield from _radio(state, now)
    if state.sound.failed is not None:
        yield state.sound.failed[1]
        yield state.sound.failed[1] + proof.RETRY_MS * 10
    if state.storage_full_since is not None:
        yield state.storage_full_since + health.STORAGE_FULL_MS
    if state.trust.withheld_since is not None:
        yield state.trust.withheld_since + withheld.PATIENCE_MS
    yield guarding.renewed_at(state)
    yield state.booted + health.CLOCK_GRACE_MS + 1


def _radio(state: AgentState, now: Now) -> Iterator[int]:
    """A station that comes up is looked at each second; one that is open changes by its readings, or by its cap."""
    fm = state.fm
    if fm.opened is not None:
        capped = fm.opened + timeline.config_of(state).fm_session_ms_max
        yield capped if capped > now.mono else now.mono + FM_LOOK_MS
    elif fm.frequency_khz is not None:
        yield now.mono + FM_LOOK_MS
        yield fm.since + fm_gate.SIGNAL_WAIT_MS
        yield fm.since + fm_gate.IDENTITY_WAIT_MS
    yield from (until for until, _ in fm.barred.values())


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
    yield from (mark.expires for mark in state.trust.cancelled)
    yield plan.renewed_at(state.plan) if state.plan is not None else now.wall
    yield guarding.forgotten_at(state)
    for start in timeline.coming_starts(state, now.wall, relays.OPEN_AHEAD_MS):
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
        stale = timeline.last_word(state, schedule) + timeline.config_of(state).head_age_ms_max + 1
        for end in (schedule.expires, stale):
            yield end
            yield end - fm_gate.LISTEN_AHEAD_MS


def _window_edges(config: AudibleConfig, wall: WallMs) -> Iterator[int]:
    midnight = wall - local_second(wall) * 1000 - wall % 1000
    for window in (*config.quiet_hours, *config.fm_windows):
        for second in (window.begin_s, window.end_s):
            yield midnight + second * 1000
            yield midnight + second * 1000 + DAY_MS
            yield midnight + second * 1000 - fm_gate.LISTEN_AHEAD_MS
            yield midnight + second * 1000 + DAY_MS - fm_gate.LISTEN_AHEAD_MS
