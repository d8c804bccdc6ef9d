"""One start of the controller: its real door for signed documents, its real publishing and its real taking in.

Stands for `controller/app.py` with the capabilities signing, devices, alerts and transparency, without pages. Of the
real rhythm only what changes nothing that is stored is slower: nobody else writes into this database, so it is not
looked at every two seconds; heads are made every four hours, not every one; a status that tells nothing new but
itself is stored with the next report; nobody has a page open, so the announcer is silent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.alerts.events import follow_signatures
from controller.alerts.queries import note_cancelled
from controller.broker.publisher import MqttPublisher
from controller.devices.announcer import Announcer
from controller.devices.ingest import Ingest
from controller.devices.live import DeviceNow, Roster
from controller.devices.remembering import remember
from controller.devices.reports import Batch
from controller.keys import CLOCK, EVENTS
from controller.placements.arrivals import Arrivals
from controller.ports import StoredEnvelope
from controller.signing.acceptance import Acceptance, Outcome, Result
from controller.signing.authority import AuthorityFile
from controller.signing.distribution import Distribution
from controller.signing.domain import DocumentState
from controller.signing.freshness import attest
from controller.signing.queries import set_state
from controller.store.engine import writing
from controller.transparency.queries import append
from controller.transparency.watch import Watch
from controller.web.events import EventHub
from protocol.alert import Cancel
from protocol.clock import WallMs
from protocol.document import Kind, read
from protocol.envelope import unpack
from protocol.grants import Anchor
from protocol.keys import SigningKey
from protocol.report import Level, Report
from protocol.units import UnitPath
from simulators.world.broker import Broker
from simulators.world.chance import Chance
from simulators.world.database import Doom, Opened
from simulators.world.house_link import NOWHERE, HouseLink
from simulators.world.trace import Trace

IDENTIFIER: Final = "loalang.controller.7f3a90c2"
"""Lies in the data directory, so a copy of the directory has the same."""
LOOK_EVERY_S: Final = 3600.0
BATCH_S: Final = 2.0
STATUS_S: Final = 3600.0
HEADS_EVERY_MS: Final = 4 * 3_600_000


class Process:
    """What lives from one start to the next crash.

    Args:
        name: for the trace and for its own chance.
        wall: the controller's clock, right or wrong.

    Attributes:
        engine: for whoever reads.
    """

    def __init__(
        self,
        opened: Opened,
        *,
        name: str,
        anchor: Anchor,
        key: SigningKey,
        broker: Broker,
        chance: Chance,
        trace: Trace,
        wall: Callable[[], WallMs],
        heartbeat_ms: int,
    ) -> None:
        self.name, self._opened, self._key, self._wall = name, opened, key, wall
        self.engine = engine = opened.engine
        link = partial(HouseLink, broker, chance.stream(f"{name}/link"))
        self.roster = Roster(heartbeat_ms=heartbeat_ms)
        self.authority = _Pinned(anchor)
        self.publisher = MqttPublisher(IDENTIFIER, received=self._receive, link=link)
        self.distribution = Distribution(
            engine,
            wall,
            self.publisher,
            key=key,
            authority=self.authority,
            look_every_s=LOOK_EVERY_S,
            heads_every_ms=HEADS_EVERY_MS,
        )
        self.publisher.when_connected(self.distribution.broker_returned)
        hub = EventHub()
        self._ingest = _Ingest(self, hub, trace)
        self._arrivals = Arrivals(engine, told=self._left, look_every_s=LOOK_EVERY_S)
        self._watch = Watch(engine, wall, hub)
        self._ingest.listeners.append(self._watch.hear)
        hooks = (follow_signatures(_pages(wall, hub)), self._log)
        self.acceptance = Acceptance(engine, wall, self.authority, hooks=hooks)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Remembers what was known, and begins its work."""
        await remember(self.engine, self._ingest, self.roster)
        work: tuple[Coroutine[Any, Any, None], ...] = (
            self.publisher.run(NOWHERE),
            self.distribution.run(),
            self._ingest.run(),
            self._arrivals.run(),
            self._watch.run(),
        )
        self._tasks = [asyncio.create_task(one) for one in work]

    def kill(self) -> None:
        """At once, in the middle of whatever it did; what is not committed is lost."""
        self._opened.die()
        self._ingest.forget()
        for task in self._tasks:
            task.cancel()
        self.distribution.shelf.close()

    def doom(self, doom: Doom | None) -> None:
        """It dies with the next thing that it writes, or does not after all."""
        self._opened.doom = doom

    @property
    def alive(self) -> bool:
        """Whether it still reaches its database."""
        return self._opened.alive

    @property
    def wall(self) -> Callable[[], WallMs]:
        """Its clock."""
        return self._wall

    async def take(self, packed: bytes) -> Result:
        """Somebody hands in an envelope, as `controller/signing/api.py` takes it. Raises what the door raises."""
        (result,) = await self.acceptance.take_all([packed])
        if result.kind == Kind.CANCEL and result.outcome is Outcome.ACCEPTED:
            await self._release(packed, result)
        if result.urgent is not None:
            await self.distribution.publish_at_once([result.urgent])
        if result.fresh:
            self.distribution.poke()
        if result.kind == Kind.ASSIGNMENT:
            await self._ingest.renew_roster()  # the real one looks every ten seconds
            self._arrivals.poke()
        return result

    async def _release(self, packed: bytes, result: Result) -> None:
        """Offices hand in a cancel when its button is pressed: as `cancel` of `controller/alerts/acts.py`."""
        document = read(unpack(packed))
        assert isinstance(document, Cancel), "its kind says so"
        async with writing(self.engine) as connection:
            await set_state(connection, [result.digest], DocumentState.IN_FORCE)
            await note_cancelled(connection, document.alert_id, by=None, now=self._wall())
        await self.distribution.publish_waiting()

    def attest(self, nonce: str) -> bytes:
        """The time for a device's nonce."""
        return attest(self._key, nonce, self._wall()).pack()

    def _receive(self, topic: str, payload: bytes, retained: bool) -> None:
        if self.alive:
            self._ingest.receive(topic, payload, retained)
            self._arrivals.receive(topic, payload, retained)

    async def _left(self, places: tuple[UnitPath, ...]) -> None:
        """As `setup` of `controller/placements/routes.py`."""
        self.distribution.renew(places)
        await self._ingest.renew_roster()

    async def _log(self, connection: AsyncConnection, stored: StoredEnvelope) -> None:
        """As `log_complete` of `controller/transparency/routes.py`."""
        if stored.state != "partial":
            scope, kind = stored.document.scope, stored.kind.value
            await append(connection, digest=stored.digest, kind=kind, scope=scope, stored=self._wall())


class _Pinned(AuthorityFile):
    """The anchor without its file, and a root that has published nothing."""

    def __init__(self, anchor: Anchor) -> None:
        super().__init__(Path("/nonexistent"))
        self._pinned = anchor

    def anchor(self) -> Anchor:
        return self._pinned


class _NoPages(Announcer):
    """Nobody looks."""

    def device(self, device: str, levels: tuple[Level, ...] = ()) -> None:
        pass

    def standing(self, document: str, item: str, unit: UnitPath) -> None:
        pass

    def refusal(self, place: UnitPath, **data: Any) -> None:
        pass


class _Ingest(Ingest):
    """The real one, which also tells the trace, and lets a lone status wait for company."""

    def __init__(self, process: Process, hub: EventHub, trace: Trace) -> None:
        super().__init__(
            process.engine,
            process.roster,
            _NoPages(hub, process.roster, process.wall),
            process.wall,
            confirm=process.publisher.confirm,
            batch_s=BATCH_S,
        )
        self._name, self._trace = process.name, trace
        self._soon: asyncio.TimerHandle | None = None

    def _sort(self, device: DeviceNow, report: Report) -> None:
        super()._sort(device, report)
        self._trace.tell(self._name, f"report.{type(report).__name__.lower()}", report.device, report)

    def _counted(self) -> None:
        if self._batch.confirm or self._batch.clones:
            super()._counted()
            return
        self._batch.count += 1
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_later(STATUS_S, self._store_statuses)

    def _store_statuses(self) -> None:
        self._soon = None
        self._wanted.set()

    def forget(self) -> None:
        """The computer is gone."""
        self._batch, self._full, self._held = Batch(), deque(), []
        if self._soon is not None:
            self._soon.cancel()


def _pages(wall: Callable[[], WallMs], hub: EventHub) -> web.Application:
    """What the hook of alerts looks for."""
    app = web.Application()
    app[CLOCK], app[EVENTS] = wall, hub
    return app
