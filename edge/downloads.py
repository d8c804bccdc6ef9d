"""Brings media in, one at a time: urgent ones first, broken ones again and again, what came so far is never lost."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from edge.backoff import Backoff
from edge.core.events import Event, MediaFailed, MediaStored
from edge.ports import Fetcher, FetchError, MediaStore, PortError, StorageFullError
from edge.pump import Feed
from protocol.bulletin import MediaRef

_log = logging.getLogger(__name__)
_FULL_LOW_S: Final = 30.0


def _now_s() -> float:
    """The event loop's time, so a simulated loop has simulated waits."""
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class _Wanted:
    media: MediaRef
    urgent: bool
    due_s: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)


class Downloads:
    """What is wanted, and one worker.

    An urgent medium stops a bulk one that is under way: its bytes stay, and it goes on by range afterwards.
    """

    def __init__(self, fetcher: Fetcher, store: MediaStore, *, feed: Feed) -> None:
        self._fetcher, self._store, self._feed = fetcher, store, feed
        self._wanted: dict[str, _Wanted] = {}
        self._changed = asyncio.Event()
        self._current: tuple[_Wanted, asyncio.Task[Event]] | None = None

    def want(self, media: MediaRef, *, urgent: bool) -> None:
        """Asks for a medium; asking again changes only its urgency."""
        wanted = self._wanted.setdefault(media.digest, _Wanted(media, urgent))
        wanted.urgent = wanted.urgent or urgent
        if self._current and wanted.urgent and not self._current[0].urgent:
            self._current[1].cancel()
        self._changed.set()

    def forget(self, digest: str) -> None:
        """Stops bringing it in."""
        self._wanted.pop(digest, None)
        if self._current and self._current[0].media.digest == digest:
            self._current[1].cancel()

    def kick(self) -> None:
        """Something is better than before, such as the link: nothing waits any longer."""
        for wanted in self._wanted.values():
            wanted.due_s = 0.0
            wanted.backoff.reset()
        self._changed.set()

    async def run(self) -> None:
        """Works for ever."""
        while True:
            self._changed.clear()
            wanted = self._next()
            if wanted is None:
                await self._wait()
                continue
            event = await self._attempt(wanted)
            if event is not None:
                await self._feed(event)

    def _next(self) -> _Wanted | None:
        now_s = _now_s()
        due = [wanted for wanted in self._wanted.values() if wanted.due_s <= now_s]
        return min(due, key=lambda wanted: not wanted.urgent, default=None)

    async def _wait(self) -> None:
        soonest = min((wanted.due_s for wanted in self._wanted.values()), default=None)
        timeout = None if soonest is None else max(0.0, soonest - _now_s())
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            pass

    async def _attempt(self, wanted: _Wanted) -> Event | None:
        """The result to tell; None when the try was called off."""
        task = asyncio.create_task(self._fetch(wanted))
        self._current = (wanted, task)
        try:
            await asyncio.wait({task})
        finally:
            self._current = None
            task.cancel()
            await asyncio.wait({task})
        if task.cancelled():
            return None
        return task.result()

    async def _fetch(self, wanted: _Wanted) -> Event:
        digest = wanted.media.digest
        try:
            if self._store.path(digest) is None:
                await self._bring(wanted.media)
        except StorageFullError as error:
            return self._failed(wanted, error, full=True)
        except FetchError as error:
            return self._failed(wanted, error, damaged=error.damaged)
        except (PortError, OSError) as error:
            return self._failed(wanted, error)
        self._wanted.pop(digest, None)
        return MediaStored(digest)

    async def _bring(self, media: MediaRef) -> None:
        sink = self._store.sink(media)
        try:
            await self._fetcher.fetch(media, sink)
        finally:
            await sink.close()

    def _failed(self, wanted: _Wanted, error: Exception, *, damaged: bool = False, full: bool = False) -> Event:
        wait_s = max(wanted.backoff.next_s(), _FULL_LOW_S if full else 0.0)
        wanted.due_s = _now_s() + wait_s
        _log.info("medium %s again in %.0f s: %s", wanted.media.digest[:12], wait_s, error)
        return MediaFailed(wanted.media.digest, damaged, full)
