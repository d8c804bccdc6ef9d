"""One device of the world: the real core and the real runner, on modelled ports, with a plug that can be pulled."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Final

from edge.believed_clock import BelievedClock
from edge.chance import CHANCE
from edge.core.agent import initial, step
from edge.core.events import ClockSource, Event
from edge.core.state import AgentState, Identity
from edge.disk import Disk
from edge.reporter import Confirmations
from edge.runner import Ports, Runner
from protocol.clock import Now
from simulators.world.broker import Broker
from simulators.world.chance import Chance
from simulators.world.clock import ClockSources, DeviceClock
from simulators.world.disk import Card, WorldMedia, WorldOutbox, WorldStateStore
from simulators.world.horn import Heard, WorldHorn
from simulators.world.line import Line
from simulators.world.mqtt import Access, WorldLink
from simulators.world.sound_source import Defects
from simulators.world.speaker import Speaker
from simulators.world.trace import Trace
from simulators.world.web import Web, WorldFetcher

_BOOT_S: Final = 4.0
_LEVEL_MS: Final = 4000


@dataclass(frozen=True, slots=True)
class Told:
    """An event came to the core, and what it knew afterwards is in `WorldDevice.state`."""

    now: Now
    event: Event


@dataclass(slots=True)
class Computer:
    """What lives from one start to the next power cut."""

    clock: DeviceClock
    horn: WorldHorn
    link: WorldLink
    sources: ClockSources
    panel: asyncio.Queue[Event]
    task: asyncio.Task[None] | None = None


@dataclass(slots=True)
class WorldDevice:
    """The box on the pole.

    Attributes:
        card: what outlives a power cut.
        clock_error_ms: how wrong each of its clock sources is; the chip's is the device's own.
        computer: None while the power is off.
        state: what the core knew last.
    """

    identity: Identity
    chance: Chance
    trace: Trace
    broker: Broker
    web: Web
    line: Line
    card: Card = field(default_factory=Card)
    clock_error_ms: dict[ClockSource, int] = field(default_factory=dict)
    drift_ppm: float = 0.0
    computer: Computer | None = None
    state: AgentState | None = None
    boots: int = 0
    defects: Defects = field(default_factory=Defects)
    speaker: Speaker = field(init=False)

    def __post_init__(self) -> None:
        self.speaker = Speaker(self._hear)

    @property
    def name(self) -> str:
        """Its id."""
        return self.identity.device

    def power_on(self) -> None:
        """The computer starts; the agent is up after some seconds."""
        if self.computer is None:
            self.boots += 1
            self.card.powered = True
            context = copy_context()
            context.run(CHANCE.set, self.chance.stream(f"{self.name}/boot {self.boots}"))
            self.trace.tell(self.name, "power.on")
            self.computer = context.run(self._start)

    def hand(self, event: Event) -> None:
        """Something comes in at the device itself, at its panel or its slot; in vain while the power is off."""
        if self.computer is not None:
            self.computer.panel.put_nowait(event)

    def power_off(self) -> None:
        """At once, in the middle of whatever it did."""
        computer, self.computer = self.computer, None
        if computer is None:
            return
        self.trace.tell(self.name, "power.off")
        self.card.powered = False
        computer.horn.go_dark()
        computer.link.close()
        if computer.task is not None:
            computer.task.cancel()

    def _start(self) -> Computer:
        clock = DeviceClock(drift_ppm=self.drift_ppm)
        media, sound_clock = WorldMedia(self.card), BelievedClock(clock)
        horn = WorldHorn(sound_clock, media, speaker=self.speaker, defects=self.defects, level_ms=_LEVEL_MS)
        confirmations = Confirmations()
        access = Access(self.name, self.line, self.broker)
        link = WorldLink(access, self.identity.place, confirmed=confirmations.tell)
        computer = Computer(clock, horn, link, ClockSources(self.clock_error_ms), asyncio.Queue())
        ports = Ports(
            clock=clock,
            sound_clock=sound_clock,
            link=link,
            fetcher=WorldFetcher(self.identity.place, line=self.line, web=self.web),
            media=media,
            state=WorldStateStore(self.card),
            outbox=WorldOutbox(self.card),
            confirmations=confirmations,
            audio=horn,
            tuner=None,
            journal=_Journal(self),
            disk=Disk(None),
            sources={"clocks": computer.sources.events, "panel": lambda: _queue(computer.panel)},
        )
        runner = Runner(step, initial(self.identity), device=self.name, ports=ports, observe=self._observe)
        computer.task = asyncio.get_running_loop().create_task(self._run(runner, horn))
        return computer

    async def _run(self, runner: Runner[AgentState], horn: WorldHorn) -> None:
        await asyncio.sleep(_BOOT_S)
        async with horn:
            await runner.run()

    def _hear(self, heard: Heard) -> None:
        what = "sound.began" if heard.reason is None else "sound.ended"
        self.trace.tell(self.name, what, f"{heard.output.key} {heard.reason or ''}", heard)

    def _observe(self, state: AgentState) -> None:
        self.state = state

    def told(self, now: Now, event: Event) -> None:
        """The core is told something."""
        self.trace.tell(self.name, "told", type(event).__name__, Told(now, event))


class _Journal:
    """Implements `edge.runner.Recorder`."""

    def __init__(self, device: WorldDevice) -> None:
        self._device = device

    def record(self, now: Now, event: Event) -> None:
        self._device.told(now, event)

    async def run(self) -> None:
        await asyncio.Event().wait()


async def _queue(events: asyncio.Queue[Event]) -> AsyncIterator[Event]:
    while True:
        yield await events.get()


def random_of(device: WorldDevice, name: str) -> random.Random:
    """A stream of the device's own."""
    return device.chance.stream(f"{device.name}/{name}")
