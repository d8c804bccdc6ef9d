"""What runs beside the trials as it does in an agent: the meter's looks, and the beats that the guardian wants."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from hardware.errors import PortError
from hardware.interfaces import Guardian

BEAT_S: Final = 0.5
_log = logging.getLogger(__name__)


@asynccontextmanager
async def kept_running(run: Callable[[], Awaitable[None]] | None) -> AsyncIterator[None]:
    """Runs it until the end, if there is something to run."""
    if run is None:
        yield
        return
    running = asyncio.ensure_future(run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def beating(guardian: Guardian | None) -> AsyncIterator[None]:
    """Proofs of life; without a time, because a self-test believes in none."""
    if guardian is None:
        yield
        return
    async with kept_running(lambda: _beat(guardian)):
        yield


async def _beat(guardian: Guardian) -> None:
    while True:
        try:
            await guardian.beat(None)
        except PortError as error:
            _log.debug("no beat: %s", error)
        await asyncio.sleep(BEAT_S)
