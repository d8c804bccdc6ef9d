"""The pump: events of all ports into `step`, its effects in their order out to the ports.

Rules: one decision at a time; what a decision wants stored is durable before anything that follows it; when it cannot
be stored, the decision did not happen; no source and no failing port ends the agent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from edge.arming import Arming
from edge.attester import Attester
from edge.believed_clock import BelievedClock
from edge.chance import token
from edge.core.effects import Effect
from edge.core.events import (
    Booted,
    EnvelopeReceived,
    Event,
    LinkChanged,
    LiveSegmentReceived,
    ParcelReceived,
    RootReceived,
    Route,
    StateSaveFailed,
    Ticked,
)
from edge.disk import Disk
from edge.downloads import Downloads
from edge.fm_monitor import FmMonitor
from edge.hands import Hands
from edge.inbox import Inbox
from edge.ports import Audio, Clock, Fetcher, FmTuner, Guardian, Link, MediaStore, PortError, StateStore, Stored
from edge.pump import Source, keep_going, pump
from edge.reporter import Confirmations, Outbox, Reporter
from edge.vital import Organ, Vital
from edge.wake import Wake
from protocol.clock import MonoMs, Now
from protocol.units import UnitPath

_AGAIN_MS: Final = 500
_TICK_MS_MIN: Final = 5
_SHUTDOWN_S_MAX: Final = 5.0
_DECIDED_ONCE: Final = (
    Booted,
    Ticked,
    StateSaveFailed,
    EnvelopeReceived,
    ParcelReceived,
    LiveSegmentReceived,
    RootReceived,
)
"""What is not lost with a decision that could not be stored: the hour comes again, and whoever sent papers does."""
_log = logging.getLogger(__name__)

S = TypeVar("S")
S_co = TypeVar("S_co", covariant=True)


class Decided(Protocol[S_co]):
    """The shape of `edge.core.agent.Decision`."""

    @property
    def state(self) -> S_co: ...
    @property
    def effects(self) -> tuple[Effect, ...]: ...
    @property
    def wake_at(self) -> MonoMs | None: ...


Step = Callable[[S, Event, Now], Decided[S]]


class Recorder(Protocol):
    """Writes down what the core is told, so a fault in the field can be replayed."""

    def record(self, now: Now, event: Event) -> None:
        """Never blocks, never raises."""
        ...

    async def run(self) -> None:
        """Writes in the background until cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the runner talks to.

    Attributes:
        sound_clock: the clock that `audio` goes by.
        sources: further sources of events by name: panel, clocks, a USB stick.
        vital: told when a decision begins and when its effects are carried out.
        confirmations: which reports the controller has stored; without them the broker's word counts.
    """

    clock: Clock
    sound_clock: BelievedClock
    link: Link
    fetcher: Fetcher
    media: MediaStore
    state: StateStore
    outbox: Outbox
    audio: Audio
    tuner: FmTuner | None
    journal: Recorder
    disk: Disk
    sources: Mapping[str, Source] = field(default_factory=dict)
    guardian: Guardian | None = None
    vital: Vital = field(default_factory=Vital)
    confirmations: Confirmations | None = None


class Runner(Generic[S]):
    """Runs one agent until cancelled.

    Args:
        observe: told every new state, after its effects were carried out; must be quick.
    """

    def __init__(
        self,
        step: Step[S],
        state: S,
        *,
        device: str,
        ports: Ports,
        observe: Callable[[S], None] = lambda _: None,
    ) -> None:
        self._step, self._state, self._ports, self._observe = step, state, ports, observe
        self._inbox = Inbox()
        self._reporter = Reporter(
            device, ports.link, outbox=ports.outbox, disk=ports.disk, confirmations=ports.confirmations
        )
        self._downloads = Downloads(ports.fetcher, ports.media, feed=self._inbox.put)
        self._attester = Attester(ports.fetcher, ports.clock, feed=self._inbox.put)
        self._fm = FmMonitor(ports.tuner, feed=self._inbox.put)
        self._arming = Arming(ports.guardian)
        self._hands = Hands(
            disk=ports.disk,
            state=ports.state,
            media=ports.media,
            audio=ports.audio,
            reporter=self._reporter,
            downloads=self._downloads,
            attester=self._attester,
            arming=self._arming,
            fm=self._fm,
            sound_clock=ports.sound_clock,
            relocate=self._relocate,
        )
        self._wake = Wake(ports.clock, lambda: self._inbox.put(Ticked()))

    @property
    def state(self) -> S:
        """What the core knows now; for looking at, by simulators and the technician."""
        return self._state

    def _relocate(self, place: UnitPath) -> None:
        self._ports.link.relocate(place)
        self._ports.fetcher.relocate(place)

    async def run(self) -> None:
        """Boots, then decides until cancelled; ends within a few seconds."""
        tasks: list[asyncio.Task[None]] = []
        try:
            await self._boot()
            tasks += [asyncio.create_task(keep_going(name, work), name=name) for name, work in self._work().items()]
            await self._decide_for_ever()
        finally:
            await self._stop(tasks)

    def _work(self) -> dict[str, Callable[[], Awaitable[None]]]:
        ports = self._ports
        sources = {
            "link": ports.link.events,
            "second path": ports.fetcher.parcels,
            "sound": ports.audio.events,
            **ports.sources,
        }
        return {
            "journal": ports.journal.run,
            "reports": self._reporter.run,
            "downloads": self._downloads.run,
            "attestation": self._attester.run,
            "fm": self._fm.run,
            "guardian": self._arming.run,
            **{name: partial(pump, source, self._inbox.put) for name, source in sources.items()},
        }

    async def _stop(self, tasks: list[asyncio.Task[None]]) -> None:
        tasks = [*tasks, self._wake.task] if self._wake.task else tasks
        for task in tasks:
            task.cancel()
        if not tasks:
            return
        _, pending = await asyncio.wait(tasks, timeout=_SHUTDOWN_S_MAX)
        for task in pending:
            _log.error("%s did not end", task.get_name())

    async def _boot(self) -> None:
        """What is stored goes to the core; should the core fail on it, less and less of it."""
        stored = await self._load()
        media = tuple(sorted(self._ports.media.digests()))
        booted = Booted(token(8), stored.registers, stored.envelopes, media, stored.damaged)
        without_registers = replace(booted, registers=None, damaged=True)
        for attempt in (booted, without_registers, replace(without_registers, envelopes=())):
            if await self._decide(attempt):
                return

    async def _load(self) -> Stored:
        try:
            return await self._ports.disk.run(self._ports.state.load)
        except (PortError, OSError) as error:
            _log.error("the stored state cannot be read; starting without it: %s", error)
            return Stored(None, (), damaged=True)

    async def _decide_for_ever(self) -> None:
        while True:
            waiting = await self._inbox.take()
            try:
                await self._decide(waiting.event)
            except Exception:
                _log.exception("carrying out what follows from %s failed", type(waiting.event).__name__)
            finally:
                waiting.settle()

    async def _decide(self, event: Event) -> bool:
        """False when the core failed, which changes nothing."""
        with self._ports.vital.busy(Organ.CORE):
            return await self._decide_now(event)

    async def _decide_now(self, event: Event, *, again: bool = False) -> bool:
        now = self._ports.clock.now()
        self._ports.journal.record(now, event)
        self._heed(event)
        try:
            decision = self._step(self._state, event, now)
        except Exception:
            _log.exception("the core failed on %s; nothing was changed", type(event).__name__)
            self._wake.plan(MonoMs(now.mono + _AGAIN_MS))
            return False
        # A boot counts even when it cannot be saved: it only takes back what is stored, and a full disk must not
        # leave a device deaf and mute.
        once_more = not (again or isinstance(event, _DECIDED_ONCE))
        failure = await self._hands.carry_out(
            decision.effects, must_save=not isinstance(event, Booted), tell=not once_more
        )
        if failure is None:
            self._state = decision.state
            self._ports.sound_clock.judged(now)
            self._observe(self._state)
            self._wake.plan(_not_at_once(decision.wake_at, event, now))
            return True
        # What the decision saw is still so; without a pause it would be made again at once, for ever.
        self._wake.not_before = MonoMs(now.mono + _AGAIN_MS)
        self._wake.plan(self._wake.not_before)
        if not isinstance(event, StateSaveFailed):
            await self._decide_now(StateSaveFailed(failure))
        if once_more:
            # A hand that let go of a button, a sound that ended: that has happened, stored or not, and comes once.
            await self._decide_now(event, again=True)
        return True

    def _heed(self, event: Event) -> None:
        """What the runner itself learns from an event."""
        if isinstance(event, Ticked):
            self._wake.heard()
        if isinstance(event, LinkChanged):
            self._reporter.link_changed(event.up)
        if event == LinkChanged(True) or (isinstance(event, ParcelReceived) and event.route is Route.USB):
            self._downloads.kick()


def _not_at_once(at: MonoMs | None, event: Event, now: Now) -> MonoMs | None:
    """A tick that asks for another one at the same instant must not fill the processor."""
    if at is None or not isinstance(event, Ticked):
        return at
    return MonoMs(max(at, now.mono + _TICK_MS_MIN))
