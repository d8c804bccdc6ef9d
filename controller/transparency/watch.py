"""Compares what devices say they obey with what is in the log; tells of the first that is not there.

Devices repeat themselves, so a document that was found in the log once is not looked up again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from controller.audit.log import note
from controller.devices.reports import Batch
from controller.ports import Clock
from controller.store.engine import reading, writing
from controller.transparency.domain import Claim, claims
from controller.transparency.queries import logged_among
from controller.transparency.sightings import Kept, keep, stored_claims
from controller.waiting import Trouble, rest
from controller.web.events import EventHub

logger = logging.getLogger(__name__)

WAITING_MAX: Final = 5000
KNOWN_MAX: Final = 200_000


class Watch:
    """Listens to reports that were stored."""

    def __init__(self, engine: AsyncEngine, clock: Clock, hub: EventHub) -> None:
        self._engine = engine
        self._clock = clock
        self._hub = hub
        self._logged: set[str] = set()
        self._kept: set[tuple[str, str]] = set()
        self._waiting: dict[tuple[str, str], Claim] = {}
        self._wanted = asyncio.Event()

    def hear(self, batch: Batch) -> None:
        """Takes in reports; quick, never raises."""
        reports = (receipt for receipt, _ in batch.receipts)
        statuses = (status for status, _ in batch.statuses.values())
        for claim in claims(reports, batch.runs, statuses):
            self._consider(claim)

    def _consider(self, claim: Claim) -> None:
        pair = (claim.device, claim.document)
        if claim.document in self._logged or pair in self._kept or len(self._waiting) >= WAITING_MAX:
            return
        if pair not in self._waiting or not self._waiting[pair].kind:
            self._waiting[pair] = claim
        self._wanted.set()

    async def run(self) -> None:
        """Looks at what was told while the service stopped, then at everything new, until it is cancelled."""
        self._wanted.set()
        first, trouble = True, Trouble(logger, "what devices obey could not be compared with the log")
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                if first:
                    await self._remember()
                    first = False
                await self.look()
                trouble.over()
            except Exception:
                self._wanted.set()
                await rest(trouble.happened())

    async def _remember(self) -> None:
        async with reading(self._engine) as connection:
            for claim in await stored_claims(connection):
                self._consider(claim)

    async def look(self) -> None:
        """Compares what waits with the log."""
        waiting = tuple(self._waiting.values())
        if not waiting:
            return
        async with reading(self._engine) as connection:
            found = await logged_among(connection, {one.document for one in waiting})
        strange = [one for one in waiting if one.document not in found]
        kept = await self._keep(strange) if strange else ()
        self._settle(waiting, found)
        for one in kept:
            self._tell(one)

    async def _keep(self, strange: list[Claim]) -> tuple[Kept, ...]:
        async with writing(self._engine) as connection:
            kept = await keep(connection, strange, now=self._clock())
            for one in kept:
                if one.first:
                    await self._note(connection, one)
        return kept

    async def _note(self, connection: AsyncConnection, kept: Kept) -> None:
        subject, detail = f"{kept.place}#{kept.claim.document}", f"{kept.claim.kind} · {kept.claim.device}"
        await note(
            connection, "transparency.unlogged", at=self._clock(), account=None, subject=subject, detail=detail
        )

    def _settle(self, waiting: tuple[Claim, ...], found: set[str]) -> None:
        for claim in waiting:
            self._waiting.pop((claim.device, claim.document), None)
            if claim.document not in found:
                self._kept.add((claim.device, claim.document))
        self._logged |= found
        if len(self._logged) > KNOWN_MAX:
            self._logged = set(found)
        if len(self._kept) > KNOWN_MAX:
            self._kept.clear()

    def _tell(self, kept: Kept) -> None:
        claim = kept.claim
        logger.log(
            logging.ERROR if kept.first else logging.INFO,
            "%s obeyed %s %s, which was never logged",
            claim.device,
            claim.kind or "document",
            claim.document,
        )
        if kept.first:
            self._hub.publish("unlogged", kept.place, device=claim.device, document=claim.document, kind=claim.kind)
