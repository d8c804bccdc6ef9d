"""Keeps work going for ever: a source or sender that fails is started again, and never ends the agent."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from edge.backoff import Backoff
from edge.core.events import Event

Source = Callable[[], AsyncIterator[Event]]
Feed = Callable[[Event], Awaitable[None]]

_STABLE_S: Final = 60.0
_log = logging.getLogger(__name__)


async def keep_going(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Runs the work until it is cancelled, or until it ends by itself because there is nothing more to do."""
    backoff, loop = Backoff(), asyncio.get_running_loop()
    while True:
        began_s = loop.time()
        try:
            await work()
        except Exception:
            if loop.time() - began_s > _STABLE_S:
                backoff.reset()
            wait_s = backoff.next_s()
            _log.exception("%s failed, starting it again in %.0f s", name, wait_s)
            await asyncio.sleep(wait_s)
        else:
            _log.info("%s has ended", name)
            return


async def pump(source: Source, feed: Feed) -> None:
    """Brings the events of one source to the core, one by one, and lets go of the source at the end."""
    events = source()
    try:
        async for event in events:
            await feed(event)
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
