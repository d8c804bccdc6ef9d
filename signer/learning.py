"""Keeps up with the controller's words of authority in the background, so no renewal goes unheard.

The controller is only the messenger: what it sends is verified like a file, and what it withholds can be carried.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
from aiohttp import web

from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope
from signer.authority_line import fetch_authority
from signer.hand_back import ControllerAwayError, Result
from signer.keys import Wall
from signer.word_store import Taken, WordStore

_logger = logging.getLogger(__name__)
_AGAIN_S: Final = 3600.0
_AWAY_S: Final = 60.0
_LEARNED: Final = frozenset({Kind.GRANT, Kind.DENIAL, Kind.ASSIGNMENT})


LEARNER: Final[web.AppKey[Learner]] = web.AppKey("learner")


class Learner:
    """Asks once in a while, and whenever somebody wants it."""

    def __init__(self, store: WordStore, *, controller: str, wall: Wall) -> None:
        self._store = store
        self._controller = controller
        self._wall = wall
        self._away = False

    async def ask(self, session: aiohttp.ClientSession) -> tuple[Taken, ...]:
        """Takes what the controller says is in force.

        Raises:
            ControllerAwayError: no answer.
        """
        return await self.take(await fetch_authority(session, self._controller))

    async def take(self, envelopes: Iterable[Envelope]) -> tuple[Taken, ...]:
        """Believes what holds, off the event loop: each new file is made durable."""
        wall: WallMs = self._wall()
        return await asyncio.to_thread(lambda: self._store.take(envelopes, wall=wall))

    async def accepted(self, envelopes: Iterable[Envelope], results: Iterable[Result]) -> None:
        """What was signed here and is complete counts here at once."""
        complete = {one.digest for one in results if one.state == "accepted"}
        mine = [one for one in envelopes if one.digest in complete and one.kind in _LEARNED]
        if mine:
            await self.take(mine)

    @asynccontextmanager
    async def running(self, session: aiohttp.ClientSession) -> AsyncIterator[None]:
        """Asks again and again until the block ends."""
        task = asyncio.create_task(self._keep_asking(session))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep_asking(self, session: aiohttp.ClientSession) -> None:
        while True:
            heard = await self._asked(session)
            await asyncio.sleep(_AGAIN_S if heard else _AWAY_S)

    async def _asked(self, session: aiohttp.ClientSession) -> bool:
        try:
            taken = await self.ask(session)
        except (ControllerAwayError, OSError) as error:
            level = logging.DEBUG if self._away else logging.INFO
            _logger.log(level, "the controller told nothing of authority: %s", error)
            self._away = True
            return False
        fresh = sum(one.fresh for one in taken)
        if fresh:
            _logger.info("%d new words of authority were taken", fresh)
        self._away = False
        return True
