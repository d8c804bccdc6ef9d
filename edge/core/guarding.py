"""What the guardian may do while the computer is dead: the signed FM windows of the next days, worked out ahead.

The guardian knows instants, not weekdays, quiet hours or documents. So the windows are made here, from the
configuration in force, and handed over whenever they change, and every six hours so that eight days stay ahead. While
the hour is not believed nothing is handed over and it keeps what it has; a policy of silence is handed over at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from edge.core.at_hand import StopMark
from edge.core.effects import ArmGuardian
from edge.core.guarding_plan import GUARDED_WINDOWS_MAX, GuardedStation, GuardedWindow, GuardingPlan
from edge.core.state import AgentState, GuardState
from edge.core.timeline import config_of
from edge.core.turn import Turn
from protocol.audible_config import AudibleConfig, Fallback, Window
from protocol.clock import DAY_MS, MonoMs, WallMs, local_datetime, wall_at

AHEAD_MS: Final = 8 * DAY_MS
AGAIN_MS: Final = 6 * 3_600_000
Span = tuple[int, int]


def watch(turn: Turn) -> None:
    """Hands a plan over when it is another one, or has grown old."""
    state, config = turn.state, config_of(turn.state)
    silent = config.on_computer_dead is not Fallback.FM
    if not silent and not turn.clock_believed:
        return
    allowed = not silent and _is_fresh(state, turn.now.wall)
    basis, guard = (config, state.stop, allowed), state.guard
    is_old = guard.windows and turn.now.mono >= renewed_at(state)
    if guard.basis == basis and not is_old:
        return
    windows = windows_of(config, state.stop, turn.now.wall) if allowed else ()
    version = guard.version + 1
    turn.change(guard=GuardState(version, basis, bool(windows), turn.now.mono))
    turn.dirty = True
    turn.do(ArmGuardian(_plan(config, version, windows)))


def _is_fresh(state: AgentState, wall: WallMs) -> bool:
    """Whether the controller has confirmed the policy lately: a device that was forgotten does not speak alone."""
    return wall < forgotten_at(state)


def forgotten_at(state: AgentState) -> WallMs:
    """When the policy will not have been confirmed for too long."""
    config = config_of(state)
    return WallMs(max(state.force.head_issued, config.issued) + config.head_age_ms_max + 1)


def renewed_at(state: AgentState) -> MonoMs:
    """When the plan that was handed over has grown old."""
    return MonoMs(state.guard.armed + AGAIN_MS)


def _plan(config: AudibleConfig, version: int, windows: tuple[GuardedWindow, ...]) -> GuardingPlan:
    if not windows:
        return GuardingPlan(version)
    stations = tuple(GuardedStation(one.frequency_khz, one.pi) for one in config.fm_stations)
    return GuardingPlan(version, windows, stations, config.rssi_floor_dbuv, config.fm_session_ms_max)


def windows_of(config: AudibleConfig, stop: StopMark | None, wall: WallMs) -> tuple[GuardedWindow, ...]:
    """FM windows of the next eight days less quiet hours and a stop in force: merged, sorted, the nearest first."""
    end = wall + AHEAD_MS
    barred = [*_spans(config.quiet_hours, wall)]
    if stop is not None:
        barred.append((0, stop.until))
    left = _merged(list(_spans(config.fm_windows, wall)))
    for cut in barred:
        left = [piece for span in left for piece in _less(span, cut)]
    kept = [(begin, min(until, end)) for begin, until in left if until > wall and begin < end]
    return tuple(GuardedWindow(WallMs(begin), WallMs(until)) for begin, until in kept[:GUARDED_WINDOWS_MAX])


def _spans(windows: tuple[Window, ...], wall: WallMs) -> Iterator[Span]:
    """Every window as instants, from the one that began yesterday on."""
    today = local_datetime(wall).date()
    for window in windows:
        for ahead in range(-1, AHEAD_MS // DAY_MS + 1):
            day = today + timedelta(days=ahead)
            if not window.days or day.isoweekday() in window.days:
                over = window.end_s if window.end_s > window.begin_s else window.end_s + DAY_MS // 1000
                yield wall_at(day, window.begin_s), wall_at(day, 0) + over * 1000


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _less(span: Span, cut: Span) -> Iterator[Span]:
    """What is left of a span beside a cut."""
    before, after = (span[0], min(span[1], cut[0])), (max(span[0], cut[1]), span[1])
    yield from (one for one in (before, after) if one[0] < one[1])
