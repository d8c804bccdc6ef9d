"""A runner on a bench: a tiny core that the test writes, and ports whose far ends the test holds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge.adapters.outbox import SqliteOutbox
from edge.adapters.system_clock import SystemClock
from edge.believed_clock import BelievedClock
from edge.core.effects import Effect, StoredDocument
from edge.core.events import Event
from edge.core.output import Output
from edge.disk import Disk
from edge.ports import FetchError, MediaSink, PortError, StorageFullError, Stored
from edge.pump import Source
from edge.runner import Ports, Runner
from protocol.bulletin import MediaRef
from protocol.clock import MonoMs, Now

State = tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """As the real core's."""

    state: State
    effects: tuple[Effect, ...] = ()
    wake_at: MonoMs | None = None


class ScriptedCore:
    """Remembers events as its state and answers with what the test wrote for their kind."""

    def __init__(self) -> None:
        self.rules: dict[type[Event], Callable[[Event, Now], tuple[Effect, ...]]] = {}
        self.wake: Callable[[Event, Now], MonoMs | None] = lambda event, now: None

    def on(self, kind: type[Event], *effects: Effect) -> None:
        self.rules[kind] = lambda event, now: effects

    def step(self, state: State, event: Event, now: Now) -> Decision:
        rule = self.rules.get(type(event))
        effects = rule(event, now) if rule else ()
        return Decision((*state, event), effects, self.wake(event, now))


class HandLink:
    """A link whose broker is the test."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Event] = asyncio.Queue()
        self.published: list[tuple[str, bytes]] = []
        self.failing = False
        self.places: list[str] = []
        self.sent = asyncio.Condition()

    def relocate(self, place: str) -> None:
        self.places.append(place)

    async def events(self) -> AsyncIterator[Event]:
        while True:
            yield await self.queue.get()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        if self.failing:
            raise PortError("the broker is away")
        async with self.sent:
            self.published.append((topic, payload))
            self.sent.notify_all()

    async def wait_published(self, count: int) -> None:
        async with asyncio.timeout(5), self.sent:
            await self.sent.wait_for(lambda: len(self.published) >= count)


class HandFetcher:
    """A controller that is the test."""

    def __init__(self) -> None:
        self.gates: dict[str, asyncio.Event] = {}
        self.order: list[str] = []
        self.failures: dict[str, list[PortError]] = {}
        self.attestation: bytes | None = b"attested"
        self.places: list[str] = []

    def relocate(self, place: str) -> None:
        self.places.append(place)

    def hold(self, digest: str) -> asyncio.Event:
        return self.gates.setdefault(digest, asyncio.Event())

    async def fetch(self, media: MediaRef, sink: MediaSink) -> None:
        self.order.append(media.digest)
        await asyncio.sleep(0)
        if self.failures.get(media.digest):
            raise self.failures[media.digest].pop(0)
        if media.digest in self.gates:
            await self.gates[media.digest].wait()
        await sink.finish()

    async def attest(self, nonce: str) -> bytes:
        if self.attestation is None:
            raise FetchError("nobody answers")
        return self.attestation

    async def parcels(self) -> AsyncIterator[Event]:
        await asyncio.Event().wait()
        yield  # type: ignore[misc]


class MemorySink:
    """A sink without bytes: these tests are about order."""

    def __init__(self, store: MemoryMedia, media: MediaRef) -> None:
        self.store, self.media, self.offset_bytes = store, media, 0

    async def write(self, data: bytes) -> None:
        self.offset_bytes += len(data)

    async def finish(self) -> None:
        self.store.stored.add(self.media.digest)

    async def close(self) -> None:
        self.store.closed += 1


class MemoryMedia:
    """Programmes that are only names."""

    def __init__(self) -> None:
        self.stored: set[str] = set()
        self.full = False
        self.closed = 0

    def digests(self) -> frozenset[str]:
        return frozenset(self.stored)

    def free_bytes(self) -> int:
        return 0 if self.full else 1 << 30

    def sink(self, media: MediaRef) -> MediaSink:
        if self.full:
            raise StorageFullError("full")
        return MemorySink(self, media)

    def path(self, digest: str) -> Path | None:
        return Path(digest) if digest in self.stored else None

    def delete(self, digest: str) -> None:
        self.stored.discard(digest)


class MemoryState:
    """State that forgets, and can be full."""

    def __init__(self) -> None:
        self.stored = Stored(None, ())
        self.saves: list[bytes] = []
        self.full = self.unreadable = False

    def load(self) -> Stored:
        if self.unreadable:
            raise PortError("the disk does not answer")
        return self.stored

    def save(self, registers: bytes, put: tuple[StoredDocument, ...], drop: tuple[str, ...]) -> None:
        if self.full:
            raise StorageFullError("the disk is full")
        self.saves.append(registers)


class HandAudio:
    """A sound path that only writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.queue: asyncio.Queue[Event] = asyncio.Queue()
        self.broken = False

    async def switch(self, output: Output, *, at: MonoMs) -> None:
        if self.broken:
            raise RuntimeError("the sound path is broken")
        self.told.append((output.key, at))

    def feed_live(self, session_id: str, counter: int, packets: tuple[bytes, ...]) -> None:
        self.told.append((session_id, counter, packets))

    async def mute(self, muted: bool) -> None:
        self.told.append(muted)

    async def events(self) -> AsyncIterator[Event]:
        while True:
            yield await self.queue.get()


class Journal:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[Event] = []

    def record(self, now: Now, event: Event) -> None:
        self.lines.append(event)

    async def run(self) -> None:
        await asyncio.Event().wait()


@dataclass
class Bench:
    """The runner and everything around it."""

    directory: Path
    core: ScriptedCore = field(default_factory=ScriptedCore)
    link: HandLink = field(default_factory=HandLink)
    fetcher: HandFetcher = field(default_factory=HandFetcher)
    media: MemoryMedia = field(default_factory=MemoryMedia)
    state: MemoryState = field(default_factory=MemoryState)
    audio: HandAudio = field(default_factory=HandAudio)
    journal: Journal = field(default_factory=Journal)
    sources: dict[str, Source] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outbox = SqliteOutbox(self.directory / "outbox.db")
        self.seen = asyncio.Condition()
        ports = Ports(
            clock=SystemClock(),
            sound_clock=BelievedClock(SystemClock()),
            link=self.link,
            fetcher=self.fetcher,
            media=self.media,
            state=self.state,
            outbox=self.outbox,
            audio=self.audio,
            tuner=None,
            journal=self.journal,
            disk=Disk(None),
            sources=self.sources,
        )
        self.runner: Runner[State] = Runner(self.core.step, (), device="dev-c07", ports=ports, observe=self._observe)

    def _observe(self, state: State) -> None:
        asyncio.get_running_loop().create_task(self._notify())

    async def _notify(self) -> None:
        async with self.seen:
            self.seen.notify_all()

    async def wait_decided(self, kind: type[Event], *, times: int = 1) -> None:
        async with asyncio.timeout(5), self.seen:
            await self.seen.wait_for(lambda: sum(isinstance(one, kind) for one in self.runner.state) >= times)

    async def tell(self, event: Event) -> None:
        await self.link.queue.put(event)
        await self.wait_decided(type(event))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.runner.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.outbox.close()
