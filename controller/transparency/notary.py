"""Looks at the log and signs how far it has come: at start, and when it grew, at most once a minute.

Nothing is signed over a log that is not what was signed before: the last checkpoint stays the promise that it is, the
pages say what is wrong, and a person decides. Whoever has the key can sign another story; that one is found out by
those who remember a checkpoint (`signer.witness`, `provisioning log check`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from controller.ports import Clock
from controller.store.engine import reading, writing
from controller.transparency.checkpoint_file import CheckpointFile
from controller.transparency.domain import Finding, Inspection
from controller.transparency.queries import chunks, log_former_documents, newest_state
from controller.waiting import Trouble, rest
from protocol import codec
from protocol.checkpoint import Checkpoint
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.keys import SigningKey

logger = logging.getLogger(__name__)

SIGN_EVERY_MS: Final = 60_000
INSPECT_EVERY_MS: Final = 600_000
LOOK_EVERY_S: Final = 1.0

Alarm = Callable[[Finding], Awaitable[None]]


class Notary:
    """Keeps watch over the log.

    Args:
        alarm: called when a log that was sound is found unsound.

    Attributes:
        finding: what the last look at the whole log found.
    """

    def __init__(
        self, engine: AsyncEngine, clock: Clock, key: SigningKey, *, kept: CheckpointFile, alarm: Alarm
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._key = key
        self._kept = kept
        self._alarm = alarm
        self._signed: tuple[Envelope, Checkpoint] | None = None
        self._looking = asyncio.Lock()
        self.finding = Finding()

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The last one that was signed."""
        return self._signed[1] if self._signed else None

    @property
    def envelope(self) -> Envelope | None:
        """The same, to be handed out."""
        return self._signed[0] if self._signed else None

    async def open(self) -> None:
        """Begins the log if there is none, looks at all of it, and signs what is new."""
        self._signed = await asyncio.to_thread(self._kept.load)
        if self._signed is None:
            async with writing(self._engine) as connection:
                if not (await newest_state(connection)).size and await log_former_documents(connection):
                    logger.info("documents from before there was a log were entered")
        await self.inspect()
        await self._sign_news()

    async def inspect(self, *, older_than_ms: int = 0) -> Finding:
        """Follows the whole log, unless somebody did a moment ago."""
        async with self._looking:
            if self.finding.at and self._clock() - self.finding.at < older_than_ms:
                return self.finding
            former, self.finding = self.finding, await self._inspect()
        if former.soundness is not self.finding.soundness and not self.finding.sound:
            logger.error("the log is not what was signed: %s", self.finding)
            await self._alarm(self.finding)
        return self.finding

    async def _inspect(self) -> Finding:
        inspection = Inspection(self.checkpoint)
        async with reading(self._engine) as connection:
            try:
                async for entries in chunks(connection):
                    if not inspection.take(entries):
                        break
            except ValueError:
                inspection.take_unreadable()
        return inspection.finding(self._clock())

    async def run(self) -> None:
        """Signs and looks until it is cancelled; a failure is told once and tried again."""
        trouble = Trouble(logger, "the log is not watched")
        while True:
            await rest(LOOK_EVERY_S)
            try:
                await self.turn()
                trouble.over()
            except Exception:
                trouble.happened()

    async def turn(self) -> None:
        """What is due now."""
        now, last = self._clock(), self.checkpoint
        if last is None or now - last.issued >= SIGN_EVERY_MS:
            async with reading(self._engine) as connection:
                grown = (await newest_state(connection)).size != (last.size if last else 0)
            if grown:
                await self.inspect()
                await self._sign_news()
        await self.inspect(older_than_ms=INSPECT_EVERY_MS)

    async def _sign_news(self) -> None:
        state, last = self.finding.state, self.checkpoint
        if self.finding.sound and state.size and (last is None or state.size > last.size):
            await self._sign(self._clock())

    async def begin_again(self) -> None:
        """Signs the log as it is, although it is not what was signed before: a person knows why."""
        finding = await self.inspect()
        if not finding.whole:
            raise ValueError("a log whose entries form no chain cannot be signed")
        if finding.state.size:
            await self._sign(self._clock())
        await self.inspect()

    async def _sign(self, now: WallMs) -> None:
        state = self.finding.state
        made = Checkpoint(log=state.log, size=state.size, root=state.root, issued=now)
        envelope = sign(Kind.CHECKPOINT, codec.encode(made), [self._key])
        await asyncio.to_thread(self._kept.keep, envelope)
        self._signed = envelope, made
