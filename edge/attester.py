"""Asks the controller for the time with a nonce of our own, so an answer cannot be an old one."""

from __future__ import annotations

import asyncio
import logging

from edge.chance import token
from edge.core.events import AttestationReceived
from edge.ports import Clock, Fetcher, PortError
from edge.pump import Feed

_log = logging.getLogger(__name__)


class Attester:
    """`run` answers requests one at a time; the core asks again when nothing comes."""

    def __init__(self, fetcher: Fetcher, clock: Clock, *, feed: Feed) -> None:
        self._fetcher, self._clock, self._feed = fetcher, clock, feed
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Asks once; asking while a question is under way changes nothing."""
        self._asked.set()

    async def run(self) -> None:
        """Works for ever."""
        while True:
            await self._asked.wait()
            answer = await self._question()
            self._asked.clear()
            if answer is not None:
                await self._feed(answer)

    async def _question(self) -> AttestationReceived | None:
        nonce = token(16)
        asked = self._clock.now().mono
        try:
            data = await self._fetcher.attest(nonce)
        except PortError as error:
            _log.info("no attestation: %s", error)
            return None
        return AttestationReceived(data, nonce, asked)
