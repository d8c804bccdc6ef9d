"""Brings what is in force to the devices: a retained parcel for each unit, alerts at once, all again if need be.

What the broker has not taken is marked in the database, not in memory: after a crash between the signature and the
publish it goes out at the next start, and until then pages say that it waits.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from controller.ports import BrokerAwayError, Clock, Publisher
from controller.signing.authority import AuthorityFile
from controller.signing.domain import Urgent, targets_of
from controller.signing.freshness import head
from controller.signing.outgoing import (
    alerts_alive,
    documents_of,
    documents_waiting,
    end_expired,
    mark_published,
    newest_versions,
    units_with_documents,
    words_waiting,
)
from controller.signing.parcels import Stock, contents, load_stock
from controller.signing.queries import StoredDocument
from controller.signing.shelf import Shelf, Spoken
from controller.store.engine import reading, writing
from controller.waiting import Trouble, wait_a_while
from protocol.clock import WallMs
from protocol.document import Kind, SpeechDocument, read
from protocol.keys import SigningKey
from protocol.parcel import pack_parcel
from protocol.topics import ALERT, DOC, unit_topic
from protocol.units import UnitPath, addresses

logger = logging.getLogger(__name__)

HEAD_EVERY_MS: Final = 3_600_000
LOOK_EVERY_S: Final = 2.0


class Distribution:
    """Publishes, and keeps the shelf for those who ask instead.

    Args:
        look_every_s: what another program on the same database stored waits no longer than this.
        heads_every_ms: how often all heads are made anew.
    """

    def __init__(
        self,
        engine: AsyncEngine,
        clock: Clock,
        publisher: Publisher,
        *,
        key: SigningKey,
        authority: AuthorityFile,
        look_every_s: float = LOOK_EVERY_S,
        heads_every_ms: int = HEAD_EVERY_MS,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._publisher = publisher
        self._key = key
        self._authority = authority
        self._look_every_s, self._heads_every_ms = look_every_s, heads_every_ms
        self._changed_units: set[UnitPath] = set()
        self._poked = asyncio.Event()
        self._heads_made = WallMs(0)
        self._unsent: dict[UnitPath, frozenset[str]] = {}
        self._alerts, self._parcels = asyncio.Lock(), asyncio.Lock()
        self.shelf = Shelf()

    async def run(self) -> None:
        """Publishes what waits, for ever; a failure is told once and tried again."""
        trouble = Trouble(logger, "publishing failed")
        while True:
            self._poked.clear()
            try:
                await self.publish_waiting()
                trouble.over()
            except Exception:
                trouble.happened()
            await wait_a_while(self._poked, seconds=self._look_every_s)

    def poke(self) -> None:
        """Something was stored: look now."""
        self._poked.set()

    def renew(self, units: Iterable[UnitPath]) -> None:
        """What these units' parcels carry has changed without a new document."""
        self._changed_units.update(units)
        self.poke()

    async def broker_returned(self) -> None:
        """The broker may have forgotten everything it kept."""
        self._unsent = {**dict.fromkeys(self.shelf.parcels, frozenset()), **self._unsent}
        self.poke()

    async def publish_at_once(self, urgent: Iterable[Urgent]) -> None:
        """Sends what was stored a moment ago, before anything is read, written or told."""
        async with self._alerts:
            for one in urgent:
                if self._publisher.connected:
                    await self._send_urgent(one)

    async def publish_waiting(self) -> None:
        """Alerts first, and behind no parcel; then the parcels that changed, or all of them every hour."""
        async with self._alerts:
            await self._publish_alerts()
        async with self._parcels:
            await self._refresh_parcels()
            await self._send_parcels()

    async def _publish_alerts(self) -> None:
        async with reading(self._engine) as connection:
            alive = await alerts_alive(connection, self._clock())
        self.shelf.put_spoken(_spoken(alive))
        for document in alive:
            if document.published is None and self._publisher.connected:
                targets = targets_of(_document(document))
                await self._send_urgent(Urgent(document.digest, targets, document.envelope.pack()))

    async def _send_urgent(self, urgent: Urgent) -> None:
        topics = [unit_topic(unit, ALERT) for unit in urgent.targets]
        try:
            await asyncio.gather(*(self._publisher.publish(topic, urgent.payload) for topic in topics))
        except BrokerAwayError:
            logger.info("the broker is away; %s waits", urgent.digest[:16])
            return
        await self._mark([urgent.digest])

    async def _refresh_parcels(self) -> None:
        now = self._clock()
        # Also when the clock was set back: heads of a time to come would otherwise be the last ones until then.
        hourly = not 0 <= now - self._heads_made < self._heads_every_ms
        if hourly:
            async with writing(self._engine) as connection:
                changed_by_time = await end_expired(connection, now)
            if changed_by_time:
                self._authority.forget_grants()
        changed = set(self._changed_units)
        async with reading(self._engine) as connection:
            units = changed | await self._due(connection, now, hourly=hourly)
            if units or not self._heads_made:
                await self._make_parcels(connection, units)
        self._changed_units -= changed
        if hourly:
            self._heads_made = now

    async def _due(self, connection: AsyncConnection, now: WallMs, *, hourly: bool) -> set[UnitPath]:
        """Units with a document that is not in the parcel about to be sent; every hour all, for their heads."""
        waiting = (*await documents_waiting(connection, now), *await words_waiting(connection))
        due = {unit for unit, digest in waiting if digest not in self._unsent.get(unit, ())}
        denied = {unit for unit, _ in await documents_waiting(connection, now, kinds=(Kind.DENIAL,))} & due
        if not hourly and not denied:
            return due
        told = await units_with_documents(connection)
        # What was denied leaves every parcel below at once, and every head names the epoch.
        return due | {unit for unit in told if hourly or addresses(denied, unit)}

    async def _make_parcels(self, connection: AsyncConnection, units: set[UnitPath]) -> None:
        """At the start also those of devices' own places, which carry no head and change with their words only."""
        stock = await load_stock(connection, self._authority, self._clock())
        headed = {*await units_with_documents(connection)}
        everything = units if self._heads_made else {*units, *stock.words}
        for unit in sorted(everything):
            await self._make_parcel(connection, unit, stock, headed=unit in headed)

    async def _send_parcels(self) -> None:
        for unit, digests in tuple(self._unsent.items()):
            if not self._publisher.connected:
                return
            try:
                await self._publisher.publish(unit_topic(unit, DOC), self.shelf.parcels[unit].encode(), retain=True)
            except BrokerAwayError:
                return
            self._unsent.pop(unit, None)
            await self._mark(digests)

    async def _make_parcel(self, connection: AsyncConnection, unit: UnitPath, stock: Stock, *, headed: bool) -> None:
        now = self._clock()
        found = await documents_of(connection, unit, now)
        carried = contents(unit, found, stock)
        envelopes = tuple(one.envelope for one in carried)
        if headed:
            newest = await newest_versions(connection, unit)
            envelopes = (*envelopes, head(self._key, unit, newest, now=now))
        self.shelf.put_parcel(unit, pack_parcel(unit, envelopes))
        # What is in force but of no use any more has nothing to wait for.
        self._unsent[unit] = frozenset(one.digest for one in (*found, *carried))

    async def _mark(self, digests: Iterable[str]) -> None:
        async with writing(self._engine) as connection:
            await mark_published(connection, digests, self._clock())


def _spoken(documents: Iterable[StoredDocument]) -> list[Spoken]:
    return [Spoken(one.digest, _document(one), one.envelope.pack().decode()) for one in documents]


def _document(stored: StoredDocument) -> SpeechDocument:
    document = read(stored.envelope)
    assert isinstance(document, SpeechDocument), "only speech is at once"
    return document
