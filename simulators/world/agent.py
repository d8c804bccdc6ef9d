"""One start of the agent's process on a device of the world: the real core and runner on modelled ports.

Stands for `edge/app.py`: what is put together there is put together here. A process can stand still (SIGSTOP, a hung
event loop) and can be killed at any instant; of what it did not yet do nothing is done any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from edge.adapters.panel_events import PanelEvents
from edge.believed_clock import BelievedClock
from edge.chance import CHANCE
from edge.chip_keeper import keep_chip
from edge.clock_news import news_only
from edge.core.agent import initial, step
from edge.core.events import Event
from edge.core.state import AgentState
from edge.onlooker import Onlooker
from edge.pump import keep_going
from edge.reporter import Confirmations
from edge.runner import Ports, Runner
from protocol.clock import Now
from simulators.world.air import WorldTuner
from simulators.world.clock import DeviceClock
from simulators.world.disk import WorldDisk
from simulators.world.horn import WorldHorn
from simulators.world.loop import OWNER, WorldLoop
from simulators.world.mqtt import Access, WorldLink
from simulators.world.stores import WorldMedia, WorldOutbox, WorldStateStore
from simulators.world.time_sources import ClockSources, TimeDaemon
from simulators.world.web import WorldFetcher

if TYPE_CHECKING:
    from simulators.world.device import WorldDevice

_LEVEL_MS: Final = 4000
_EVENT_BYTES: Final = 150
_JOURNAL_BYTES_A_DAY: Final = 12 * 1024 * 1024
_DAY_S: Final = 86_400.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """An event came to the core, and what it knew afterwards is in `WorldDevice.state`."""

    now: Now
    event: Event


class Events:
    """A source of events that others put into."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._came: asyncio.Future[None] | None = None

    def put(self, event: Event) -> None:
        """Never waits."""
        self._waiting.append(event)
        if self._came is not None and not self._came.done():
            self._came.set_result(None)

    async def events(self) -> AsyncIterator[Event]:
        """As they come."""
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            self._came = asyncio.get_running_loop().create_future()
            await self._came


class Agent:
    """From its start to its end.

    Args:
        number: which start of this device it is, counted from its first.

    Attributes:
        slot: what is put into the device by hand, such as a stick.
        parts: what the board's own watch finds.
    """

    def __init__(self, device: WorldDevice, clock: DeviceClock, daemon: TimeDaemon, *, number: int) -> None:
        self._device, self._clock = device, clock
        self._owner = f"{device.name} {number}"
        self._alive = True
        self.slot, self.parts = Events(), Events()
        self.context: Context = copy_context()
        self.context.run(OWNER.set, self._owner)
        self.context.run(CHANCE.set, device.chance.stream(f"{device.name}/agent {number}"))
        self.context.run(self._put_together, daemon)

    def _put_together(self, daemon: TimeDaemon) -> None:
        device, clock = self._device, self._clock
        media, sound_clock, confirmations = WorldMedia(device.card), BelievedClock(clock), Confirmations()
        self._fit(daemon, media, sound_clock)
        self._access = Access(device.name, device.line, device.broker)
        self._link = WorldLink(self._access, device.identity.place, confirmed=confirmations.tell)
        self._onlooker = Onlooker(self.horn, device, self._observe)
        self._disk = WorldDisk(device.card, device.crash)
        ports = Ports(
            clock=clock,
            sound_clock=sound_clock,
            link=self._link,
            fetcher=WorldFetcher(device.identity.place, line=device.line, web=device.web),
            media=media,
            state=WorldStateStore(device.card),
            outbox=WorldOutbox(device.card),
            confirmations=confirmations,
            audio=self.horn,
            tuner=self.tuner,
            journal=_Journal(self._told, device),
            disk=self._disk,
            guardian=device.guardian,
            sources={
                "panel": PanelEvents(device.panel).events,
                "clocks": partial(news_only, self.sources.events, clock),
                "parts": self.parts.events,
                "media": media.check,
                "slot": self.slot.events,
            },
        )
        runner = Runner(step, initial(device.identity), device=device.name, ports=ports, observe=self._onlooker)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._run(runner))]
        if device.chip is not None:
            work = partial(keep_chip, device.chip, self.agreed_ms)
            self._tasks.append(loop.create_task(keep_going("clock chip", work)))

    def _fit(self, daemon: TimeDaemon, media: WorldMedia, sound_clock: BelievedClock) -> None:
        """The board's parts."""
        device, clock = self._device, self._clock
        self.sources = ClockSources(clock, device.chip, cell=device.cell_ms)
        self.sources.daemon = daemon
        self.tuner = WorldTuner(
            device.air,
            device.reception,
            device.defects,
            clock_time=self.sources.radio,
            dice=device.chance.stream(f"{self._owner}/tuner"),
        )
        self.horn = WorldHorn(
            sound_clock,
            media,
            speaker=device.speaker,
            defects=device.defects,
            flow=device.flow,
            level_ms=_LEVEL_MS,
        )

    async def _run(self, runner: Runner[AgentState]) -> None:
        try:
            async with self.horn:
                await runner.run()
        except Exception:
            _log.exception("the agent has ended by itself")
            asyncio.get_running_loop().call_soon(self._device.crash)

    def agreed_ms(self) -> int | None:
        """The hour while two sources agree about it."""
        return self._onlooker.agreed_ms(self._clock) if self._alive else None

    def _observe(self, state: AgentState) -> None:
        if self._alive:
            self._device.state = state

    def _told(self, now: Now, event: Event) -> None:
        if self._alive:
            self._device.trace.tell(self._device.name, "told", type(event).__name__, Told(now, event))

    # What is done to it.

    def hang(self, hung: bool) -> None:
        """Its tasks stand still, or go on."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, WorldLoop), "only its loop can hold a process"
        if hung:
            loop.hold(self._owner)
        self.horn.hang(hung)
        if not hung:
            loop.release(self._owner)

    def end(self, *, dark: bool) -> None:
        """It does nothing more.

        Args:
            dark: the whole computer is gone, so nobody is told; else the kernel closes its connections.
        """
        self._alive = False
        self._disk.end()
        self.horn.go_dark()
        self.tuner.close()
        session = self._access.last
        if session is not None:
            (session.vanish if dark else session.abandon)()
        loop = asyncio.get_running_loop()
        if isinstance(loop, WorldLoop):
            loop.release(self._owner)
        for task in self._tasks:
            task.cancel()

    def card_moves(self) -> None:
        """The card answers again."""
        self._disk.move()


class _Journal:
    """Implements `edge.runner.Recorder`: of the real journal only its room on the card is left."""

    def __init__(self, told: Callable[[Now, Event], None], device: WorldDevice) -> None:
        self._told, self._card = told, device.card
        self._loop = asyncio.get_running_loop()
        self._day_s, self._bytes = self._loop.time(), 0

    def record(self, now: Now, event: Event) -> None:
        """See `edge.runner.Recorder`."""
        self._told(now, event)
        if self._bytes < _JOURNAL_BYTES_A_DAY and not (self._card.full or self._card.broken):
            self._bytes += _EVENT_BYTES
            self._card.bytes_written += _EVENT_BYTES

    async def run(self) -> None:
        """A new day has a new budget."""
        while True:
            await asyncio.sleep(_DAY_S)
            self._bytes = 0
