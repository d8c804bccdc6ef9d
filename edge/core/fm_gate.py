"""FM is a gate, not a default (behaviour.md, section 4).

It opens for a signed frequency inside a signed window when the signal stands above the floor for several readings
and carries the signed identity where one is named. It shuts when the signal falls away, steps by more than 10 dB,
changes its identity, tells it no more where it must, or has been open for its cap. A refused frequency is barred for
a while, so nothing flaps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from edge.core import live, relays
from edge.core.effects import MonitorFm
from edge.core.events import FmSignalMeasured
from edge.core.output import LiveOutput, Rung, StreamOutput
from edge.core.state import AgentState, FmState, Occurrence
from edge.core.timeline import any_dead, config_of, unplayable
from edge.core.turn import Turn
from protocol.audible_config import AudibleConfig, Fallback, Station, in_any
from protocol.clock import ClockTrust, MonoMs, Now, WallMs

HYSTERESIS_DB: Final = 3
STEP_DB_MAX: Final = 10
GOOD_READINGS: Final = 2
IDENTITY_WAIT_MS: Final = 8000
SIGNAL_WAIT_MS: Final = 5000
READING_AGE_MS_MAX: Final = 3000
IDENTITY_AGE_MS_MAX: Final = 15_000
"""So long a station that must be identified may tell nobody's name: RDS tells it eleven times a second; fading takes
it away for seconds. The guardian's gate has the same figure."""
BARRED_WEAK_MS: Final = 60_000
BARRED_FOREIGN_MS: Final = 600_000
LISTEN_AHEAD_MS: Final = 6000
"""A relay slot's station is measured this long before its start, so the gate can be open in time."""
HOUR_TELLING_MS: Final = 5 * 60_000
"""So long a station is listened to for the hour: RDS tells it each minute, and two words must agree."""
_LOOK_AHEAD_MS: Final = 1000

WEAK: Final = "signal_weak"
STEP: Final = "signal_step"
IDENTITY: Final = "identity_wrong"
NO_IDENTITY: Final = "identity_missing"
CAP: Final = "open_too_long"
NO_READING: Final = "tuner_silent"
BROKEN: Final = "source_failed"


@dataclass(frozen=True, slots=True)
class FmWish:
    """Who wants FM now, and which stations will do, in order."""

    rung: Rung
    stations: tuple[Station, ...]
    slot: Occurrence | None = None


def wish(state: AgentState, now: Now) -> FmWish | None:
    """What FM is wanted for at this instant: a relay slot, else the fallback if something due cannot sound."""
    if now.clock is ClockTrust.NONE or state.stop is not None:
        return None
    config = config_of(state)
    if in_any(config.quiet_hours, now.wall):
        return None
    slot = relays.fm_due(state, now)
    if slot is not None:
        occurrence, relay = slot
        return FmWish(Rung.FM_SLOT, (Station(relay.frequency_khz, "", relay.pi),), occurrence)
    if _fallback_wanted(state, config, now):
        return FmWish(Rung.FM_FALLBACK, config.fm_stations)
    return None


def _fallback_wanted(state: AgentState, config: AudibleConfig, now: Now) -> bool:
    if not _fallback_allowed(config, now):
        return False
    lost = bool(live.stalled(state)) or relays.lost(state, now) is not None
    return lost or relays.awaited(state, now) is not None or any_dead(state, now.wall) or bool(unplayable(state, now))


def _fallback_allowed(config: AudibleConfig, now: Now) -> bool:
    return config.fallback is Fallback.FM and in_any(config.fm_windows, now.wall)


def _listening(turn: Turn) -> FmWish | None:
    """Which stations are measured: for the hour; wanted now, of a slot that begins soon, or standing by."""
    if turn.now.clock is ClockTrust.NONE:
        return _hour_telling(turn)
    return wish(turn.state, turn.now) or _soon(turn) or _standby(turn)


def _hour_telling(turn: Turn) -> FmWish | None:
    """While no hour is believed, each station whose name is signed, in turn. Nothing of it sounds.

    After a power cut without a network the clock chip is one source, and a station's clock-time is all there is to
    make it two. A station that has no name to prove might be anybody, so it is not asked.
    """
    named = [one for one in config_of(turn.state).fm_stations if one.pi is not None]
    if not named:
        return None
    return FmWish(Rung.FM_FALLBACK, (named[turn.now.mono // HOUR_TELLING_MS % len(named)],))


def next_hour_telling(mono: MonoMs) -> int:
    """When the next station is listened to for the hour."""
    return (mono // HOUR_TELLING_MS + 1) * HOUR_TELLING_MS


def _standby(turn: Turn) -> FmWish | None:
    """While a network brings the sound, the gate is held ready: what breaks off is replaced before it is missed."""
    state, now = turn.state, turn.now
    sound, config = state.sound, config_of(state)
    coming = sound.planned[0] if sound.planned is not None else None
    networked = isinstance(sound.output, LiveOutput | StreamOutput) or isinstance(coming, StreamOutput)
    if not networked or state.stop is not None:
        return None
    if in_any(config.quiet_hours, now.wall) or not _fallback_allowed(config, now):
        return None
    return FmWish(Rung.FM_FALLBACK, config.fm_stations)


def station_open(state: AgentState, wanted: FmWish | None) -> Station | None:
    """The wanted station whose gate is open."""
    if wanted is None or state.fm.opened is None:
        return None
    return next((one for one in wanted.stations if one.frequency_khz == state.fm.frequency_khz), None)


def attend(turn: Turn) -> None:
    """Chooses the frequency to measure: that of the wish now, or of a slot that begins soon."""
    wanted = _listening(turn)
    fm = turn.state.fm
    stations = wanted.stations if wanted is not None else ()
    free = [one for one in stations if not _is_barred(fm, one, turn.now.mono)]
    if fm.opened is not None:
        # An open station is not left for a better one: trying that one costs seconds of silence, every minute anew.
        free.sort(key=lambda one: one.frequency_khz != fm.frequency_khz)
    frequency = free[0].frequency_khz if free else None
    if frequency != fm.frequency_khz:
        fresh = FmState(frequency, turn.now.mono, stations, barred=_still_barred(fm, turn.now.mono))
        turn.change(fm=fresh)
        turn.do(MonitorFm(frequency))
    elif frequency is not None:
        if fm.listening != stations:
            turn.change(fm=replace(fm, listening=stations))
        _judge(turn, free[0], wanted.slot if wanted else None)


def _soon(turn: Turn) -> FmWish | None:
    """Who will want FM within the time of listening ahead: a wish may end before that time is over."""
    for ahead_ms in range(LISTEN_AHEAD_MS, 0, -_LOOK_AHEAD_MS):
        wanted = wish(turn.state, replace(turn.now, wall=WallMs(turn.now.wall + ahead_ms)))
        if wanted is not None:
            return wanted
    return None


def _is_barred(fm: FmState, station: Station, mono: MonoMs) -> bool:
    return fm.barred.get(station.frequency_khz, (mono, ""))[0] > mono


def _still_barred(fm: FmState, mono: MonoMs) -> dict[int, tuple[MonoMs, str]]:
    return {khz: entry for khz, entry in fm.barred.items() if entry[0] > mono}


def _judge(turn: Turn, station: Station, slot: Occurrence | None) -> None:
    """A station that does not come up in time, falls silent, tells its name no more or is open too long gives way."""
    fm, mono = turn.state.fm, turn.now.mono
    if fm.opened is not None and station.pi not in (None, fm.pi):
        turn.change(fm=replace(fm, opened=None, good=0, since=mono))
    elif fm.opened is not None:
        since = max(fm.opened, turn.mono_at(slot.start)) if slot is not None else fm.opened
        if mono - fm.measured >= READING_AGE_MS_MAX:
            _bar(turn, NO_READING, BARRED_WEAK_MS)
        elif station.pi is not None and mono - fm.identified >= IDENTITY_AGE_MS_MAX:
            _bar(turn, NO_IDENTITY, BARRED_WEAK_MS)
        elif mono - since >= config_of(turn.state).fm_session_ms_max:
            _bar(turn, CAP, BARRED_FOREIGN_MS)
    else:
        _judge_waiting(turn, station)


def _judge_waiting(turn: Turn, station: Station) -> None:
    fm, mono = turn.state.fm, turn.now.mono
    if fm.good >= GOOD_READINGS and station.pi is not None:
        if mono - fm.since >= IDENTITY_WAIT_MS:
            _bar(turn, NO_IDENTITY, BARRED_WEAK_MS)
    elif mono - fm.since >= SIGNAL_WAIT_MS:
        _bar(turn, WEAK, BARRED_WEAK_MS)


def break_off(turn: Turn, frequency_khz: int) -> None:
    """The sound path cannot play what is open."""
    if turn.state.fm.frequency_khz == frequency_khz:
        _bar(turn, BROKEN, BARRED_WEAK_MS)


def _bar(turn: Turn, reason: str, duration_ms: int) -> None:
    fm = turn.state.fm
    assert fm.frequency_khz is not None, "only what is measured is judged"
    barred = {**_still_barred(fm, turn.now.mono), fm.frequency_khz: (MonoMs(turn.now.mono + duration_ms), reason)}
    turn.change(fm=FmState(None, turn.now.mono, barred=barred))
    attend(turn)
    if turn.state.fm.frequency_khz is None:
        turn.do(MonitorFm(None))


def observe(turn: Turn, event: FmSignalMeasured) -> None:
    """Takes a reading; opens, keeps or shuts the gate."""
    fm = turn.state.fm
    station = next((one for one in fm.listening if one.frequency_khz == event.frequency_khz), None)
    if station is None or event.frequency_khz != fm.frequency_khz:
        return
    reason = _wrong(fm, event, station, config_of(turn.state))
    if reason is not None:
        _bar(turn, reason, BARRED_WEAK_MS if reason == WEAK else BARRED_FOREIGN_MS)
        return
    _take_reading(turn, event, station)


def is_usual(before: AgentState, after: AgentState) -> bool:
    """Whether a reading changed nothing but itself: the gate was open and stays so."""
    former, fm = before.fm, after.fm
    same = (former.frequency_khz, former.opened, former.pi) == (fm.frequency_khz, fm.opened, fm.pi)
    return fm.opened is not None and same


def _wrong(fm: FmState, event: FmSignalMeasured, station: Station, config: AudibleConfig) -> str | None:
    if event.pi is not None and event.pi != (station.pi or fm.pi or event.pi):
        return IDENTITY
    if fm.opened is None or fm.rssi_dbuv is None:
        return None
    if event.rssi_dbuv < config.rssi_floor_dbuv - HYSTERESIS_DB:
        return WEAK
    return STEP if abs(event.rssi_dbuv - fm.rssi_dbuv) > STEP_DB_MAX else None


def _take_reading(turn: Turn, event: FmSignalMeasured, station: Station) -> None:
    fm, mono = turn.state.fm, turn.now.mono
    floor = config_of(turn.state).rssi_floor_dbuv + HYSTERESIS_DB
    good = fm.good + 1 if event.rssi_dbuv >= floor else 0
    pi, identified = (fm.pi, fm.identified) if event.pi is None else (event.pi, mono)
    opened = fm.opened
    if opened is not None and wish(turn.state, turn.now) is None:
        opened = mono  # held ready, it does not sound: its cap has not begun to count
    if opened is None and good >= GOOD_READINGS and (station.pi is None or pi == station.pi):
        opened = mono
    fresh = replace(fm, good=good, rssi_dbuv=event.rssi_dbuv, pi=pi, identified=identified)
    turn.change(fm=replace(fresh, opened=opened, measured=mono))


def refusal(state: AgentState, now: Now) -> str | None:
    """Why FM that is wanted now stays silent: every frequency is barred; None while there is hope or no wish."""
    wanted = wish(state, now)
    if wanted is None:
        return None
    if not wanted.stations:
        return "no_station"
    reasons = [state.fm.barred.get(one.frequency_khz) for one in wanted.stations]
    if any(entry is None or entry[0] <= now.mono for entry in reasons):
        return None
    return ", ".join(
        f"{one.frequency_khz / 1000:.1f} MHz {state.fm.barred[one.frequency_khz][1]}" for one in wanted.stations
    )
