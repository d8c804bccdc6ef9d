"""One agent core at a desk, in virtual time: no loop, no files, no sound; a model of the sound path that answers.

The model does what the engine's contract says: a switch begins at its instant, what sounded before ends then, a
programme ends after its length, a level comes every second; two seconds of a live session or a stream are held, and
a source that gives no more is told before they are over. Effects are collected; saved state can be booted again.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from typing import TypeVar

from edge.core.agent import Decision, initial, step, whole_step
from edge.core.effects import (
    DeleteMedia,
    Effect,
    FeedLive,
    FetchMedia,
    MonitorFm,
    PublishReport,
    SaveState,
    ShiftWall,
    SwitchOutput,
)
from edge.core.events import (
    Booted,
    ClockRead,
    ClockSource,
    Event,
    FmSignalMeasured,
    LevelMeasured,
    MediaStored,
    SoundEnded,
    SoundFailing,
    SoundRecovered,
    SoundStarted,
    Ticked,
)
from edge.core.output import LiveOutput, MessageOutput, ProgrammeOutput, Silence
from edge.core.state import AgentState, Identity
from protocol.clock import ClockTrust, MonoMs, Now, WallMs
from protocol.report import AsRun, EndReason, Fault, Receipt, Status
from simulators.desk_sound import NOMINAL_CDB as NOMINAL_CDB
from simulators.desk_sound import Begin, Dry, End, Reading, Second, SoundModel, Timed, Unopened

R = TypeVar("R", Receipt, Status, AsRun, Fault)

SILENT_CDB = -12_000
_STALL_MS, _HELD_MS = 1400, 600


@dataclass
class Desk:
    """Drives `step` through virtual time.

    Attributes:
        signals: what the tuner would measure: frequency to strength and identity.
        reachable: digests that a fetch finds; None means every one.
        dead_streams: addresses where nobody answers; `slow_streams` how long after its second that is given up.
        effects, decisions: all so far.
        proves: holds every decision against one in which everything is looked at.
    """

    identity: Identity
    mono: int = 1_000_000
    offset: int = 1_800_000_000_000
    state: AgentState = None  # type: ignore[assignment]
    signals: dict[int, tuple[int, str | None]] = field(default_factory=dict)
    reachable: frozenset[str] | None = None
    dead_streams: set[str] = field(default_factory=set)
    slow_streams: dict[str, int] = field(default_factory=dict)
    sound: SoundModel = field(default_factory=SoundModel)
    effects: list[Effect] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    registers: bytes | None = None
    stored: dict[str, bytes] = field(default_factory=dict)
    media: set[str] = field(default_factory=set)
    monitored: int | None = None
    wake_at: int | None = None
    boots: int = 0
    proves: bool = True
    _queue: list[tuple[int, int, Timed]] = field(default_factory=list)
    _count: int = 0
    _dry: int = 0

    @property
    def wall(self) -> WallMs:
        """The system's wall clock."""
        return WallMs(self.mono + self.offset)

    @property
    def sound_wall(self) -> WallMs:
        """The sound path's wall clock."""
        return WallMs(self.wall + self.sound.shift_ms)

    def now(self) -> Now:
        """The present as a clock port gives it."""
        return Now(MonoMs(self.mono), self.wall, ClockTrust.NONE)

    def boot(self, *, clock: bool = True) -> Decision:
        """Starts the agent from what is stored; two agreeing clock sources follow unless `clock` is false."""
        self.boots += 1
        self.state = initial(self.identity)
        self.sound = SoundModel(level_cdb=self.sound.level_cdb, spans=self.sound.spans)
        self._queue.clear()
        self.monitored = None
        envelopes = tuple(self.stored.values())
        decision = self.send(Booted(f"boot{self.boots}", self.registers, envelopes, tuple(sorted(self.media))))
        if clock:
            self.believe()
        return decision

    def believe(self) -> None:
        """Lets NTP and RTC agree with the system's wall clock."""
        self.send(ClockRead(ClockSource.NTP, self.wall))
        self.send(ClockRead(ClockSource.RTC, WallMs(self.wall + 300)))

    def cut_power(self, *, off_ms: int) -> None:
        """Ends everything at once; time goes on."""
        if not isinstance(self.sound.output, Silence):
            self.sound.spans.append((self.sound.began, self.sound_wall, self.sound.output))
        self.mono += off_ms

    def send(self, event: Event) -> Decision:
        """One decision, its effects carried out in the model."""
        decision = step(self.state, event, self.now())
        if self.proves:
            self._prove(event, decision)
        self.state = decision.state
        self.wake_at = decision.wake_at
        self.decisions.append(decision)
        for effect in decision.effects:
            self.effects.append(effect)
            self._carry_out(effect)
        return decision

    def _prove(self, event: Event, decision: Decision) -> None:
        """What was not looked at would have stayed as it was."""
        whole = whole_step(self.state, event, self.now())
        assert whole.effects == decision.effects, f"{event} should have led to {whole.effects}"
        assert replace(whole.state, calm=None) == replace(decision.state, calm=None), f"{event} changes more"

    def advance(self, duration_ms: int) -> None:
        """Lets time pass, with all timed events in their order."""
        end = self.mono + duration_ms
        while True:
            at = min(self._queue[0][0] if self._queue else end + 1, self.wake_at or end + 1)
            if at > end:
                break
            self.mono = max(self.mono, at)
            if self._queue and self._queue[0][0] <= self.mono:
                self._happen(heapq.heappop(self._queue)[2])
            else:
                self.send(Ticked())
        self.mono = end

    def advance_to(self, wall: int) -> None:
        """Lets time pass until a wall instant."""
        self.advance(wall - self.wall)

    def later(self, in_ms: int, event: Event) -> None:
        """Lets something happen by itself after a while."""
        self._later(self.mono + in_ms, event)

    def reports(self, kind: type[R]) -> list[R]:
        """Reports of a kind so far."""
        return [one.report for one in self.effects if isinstance(one, PublishReport) and isinstance(one.report, kind)]

    def _later(self, at: int, event: Timed) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, event))

    def _happen(self, event: Timed) -> None:
        if isinstance(event, Begin):
            self._begin(event)
        elif isinstance(event, End):
            self._finish(event)
        elif isinstance(event, Unopened):
            if self.sound.planned is not None and self.sound.planned[1].key == event.key:
                self.sound.planned, now = None, self.sound_wall
                self.send(SoundEnded(event.key, now, now, SILENT_CDB, EndReason.SOURCE_FAILED))
        elif isinstance(event, Second):
            self._measure(event)
        elif isinstance(event, Reading):
            self._read(event)
        elif isinstance(event, Dry):
            self._run_dry(event)
        else:
            self.send(event)

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, ShiftWall):
            self.sound.shift_ms = effect.shift_ms
        elif isinstance(effect, SaveState):
            self.registers = effect.registers
            self.stored.update({one.key: one.envelope for one in effect.put})
            for key in effect.drop:
                self.stored.pop(key, None)
        elif isinstance(effect, SwitchOutput):
            self.sound.planned, begins = (effect.at, effect.output), max(effect.at, self.mono)
            address = getattr(effect.output, "address", "")
            if address in self.dead_streams:
                self._later(self.mono + 100, Unopened(effect.output.key))
            elif address in self.slow_streams:
                self._later(begins + self.slow_streams[address], Unopened(effect.output.key))
            else:
                self._later(begins, Begin(effect.output))
        elif isinstance(effect, FeedLive):
            self._feed(effect.session_id)
        elif isinstance(effect, FetchMedia):
            if self.reachable is None or effect.media.digest in self.reachable:
                self.media.add(effect.media.digest)
                self._later(self.mono + 200, MediaStored(effect.media.digest))
        elif isinstance(effect, DeleteMedia):
            self.media.discard(effect.digest)
        elif isinstance(effect, MonitorFm):
            self.monitored = effect.frequency_khz
            self._later(self.mono + 500, Reading(effect.frequency_khz))

    def _begin(self, event: Begin) -> None:
        planned = self.sound.planned
        if planned is None or planned[1] is not event.output or planned[0] > self.mono:
            return
        self.sound.planned = None
        if event.output.key == self.sound.output.key:
            return
        self._end_present(EndReason.SUPERSEDED)
        self.sound.output, self.sound.began = event.output, self.sound_wall
        if isinstance(event.output, Silence):
            return
        self.send(SoundStarted(event.output.key, self.sound_wall))
        self._later(self.mono + 1000, Second(event.output.key))
        if isinstance(event.output, LiveOutput):
            self._feed(event.output.session_id)
        if isinstance(event.output, MessageOutput):
            self._later(self.mono + event.output.media.duration_ms, End(event.output.key))
        if isinstance(event.output, ProgrammeOutput):
            rest = event.output.origin + event.output.media.duration_ms - self.sound_wall
            self._later(self.mono + max(rest, 1), End(event.output.key))

    def _feed(self, session_id: str) -> None:
        """Segments came: the session goes on for what is held of them."""
        output = self.sound.output
        if isinstance(output, LiveOutput) and output.session_id == session_id:
            self.go_on()
            self._hold(output.key)

    def fall_silent(self) -> None:
        """The stream that sounds closes or stalls: what is held of it sounds on."""
        self._dry += 1
        self.sound.failing = True
        self._later(self.mono + _HELD_MS, Dry(self.sound.output.key, self._dry))
        self.send(SoundFailing(self.sound.output.key))

    def go_on(self) -> None:
        """It gives sound again."""
        self._dry += 1
        if self.sound.failing:
            self.sound.failing = False
            self.send(SoundRecovered(self.sound.output.key))

    def _hold(self, key: str) -> None:
        self._later(self.mono + _STALL_MS, Dry(key, self._dry, failing=True))

    def _run_dry(self, event: Dry) -> None:
        """Nothing came for a second; after another one, what was held is over."""
        if event.key != self.sound.output.key or event.count != self._dry:
            return
        if event.failing:
            self.fall_silent()
        else:
            self._end_present(EndReason.SOURCE_FAILED)

    def _end_present(self, reason: EndReason) -> None:
        output, began = self.sound.output, self.sound.began
        if isinstance(output, Silence):
            return
        self.sound.spans.append((began, self.sound_wall, output))
        self.sound.output, self.sound.failing = Silence(), False
        self.send(SoundEnded(output.key, began, self.sound_wall, self.sound.level_cdb, reason))

    def _finish(self, event: End) -> None:
        if event.key == self.sound.output.key:
            self._end_present(EndReason.COMPLETE)

    def break_source(self) -> None:
        """The source of what sounds fails."""
        self._end_present(EndReason.SOURCE_FAILED)

    def _measure(self, event: Second) -> None:
        if event.key == self.sound.output.key:
            self._later(self.mono + 1000, event)
            self.send(LevelMeasured(self.sound_wall, self.sound.level_cdb))

    def _read(self, event: Reading) -> None:
        if event.frequency_khz is not None and event.frequency_khz == self.monitored:
            self._later(self.mono + 1000, event)
            rssi, pi = self.signals.get(event.frequency_khz, (3, None))
            self.send(FmSignalMeasured(event.frequency_khz, rssi, pi))
