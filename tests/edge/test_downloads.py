"""The download worker: order, urgency, and trying for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from edge.core.events import Event, MediaFailed, MediaStored
from edge.downloads import Downloads
from edge.ports import FetchError
from protocol.bulletin import MediaRef
from tests.edge.bench import HandFetcher, MemoryMedia


def medium(letter: str) -> MediaRef:
    return MediaRef(letter * 64, 1000, 1000)


A, B, C = medium("a"), medium("b"), medium("c")


class Depot:
    """A worker whose network and ear are the test's."""

    def __init__(self) -> None:
        self.fetcher, self.store = HandFetcher(), MemoryMedia()
        self.told: asyncio.Queue[Event] = asyncio.Queue()
        self.downloads = Downloads(self.fetcher, self.store, feed=self.told.put)

    async def next(self) -> Event:
        async with asyncio.timeout(5):
            return await self.told.get()


@pytest.fixture
async def depot() -> AsyncIterator[Depot]:
    depot = Depot()
    task = asyncio.create_task(depot.downloads.run())
    yield depot
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_media_come_in_order(depot: Depot) -> None:
    for media in (A, B):
        depot.downloads.want(media, urgent=False)
    assert [await depot.next(), await depot.next()] == [MediaStored(A.digest), MediaStored(B.digest)]


async def test_urgent_medium_interrupts_bulk(depot: Depot) -> None:
    gate = depot.fetcher.hold(A.digest)
    depot.downloads.want(A, urgent=False)
    depot.downloads.want(B, urgent=False)
    await asyncio.sleep(0.01)
    depot.downloads.want(C, urgent=True)
    assert await depot.next() == MediaStored(C.digest)
    gate.set()
    assert [await depot.next(), await depot.next()] == [MediaStored(A.digest), MediaStored(B.digest)]
    assert depot.fetcher.order == [A.digest, C.digest, A.digest, B.digest]
    assert depot.store.closed == 4


async def test_stored_medium_is_told_at_once(depot: Depot) -> None:
    depot.store.stored.add(A.digest)
    depot.downloads.want(A, urgent=False)
    assert await depot.next() == MediaStored(A.digest)
    assert depot.fetcher.order == []


async def test_failed_medium_lets_others_go_first(depot: Depot) -> None:
    depot.fetcher.failures[A.digest] = [FetchError("broken off")]
    depot.downloads.want(A, urgent=False)
    depot.downloads.want(B, urgent=False)
    assert await depot.next() == MediaFailed(A.digest, damaged=False)
    assert await depot.next() == MediaStored(B.digest)


async def test_failed_medium_is_tried_again(depot: Depot) -> None:
    depot.fetcher.failures[A.digest] = [FetchError("other bytes", damaged=True)]
    depot.downloads.want(A, urgent=False)
    assert await depot.next() == MediaFailed(A.digest, damaged=True)
    depot.downloads.kick()
    assert await depot.next() == MediaStored(A.digest)


async def test_full_disk_is_told(depot: Depot) -> None:
    depot.store.full = True
    depot.downloads.want(A, urgent=False)
    assert await depot.next() == MediaFailed(A.digest, damaged=False, full=True)


async def test_unwanted_medium_is_dropped(depot: Depot) -> None:
    depot.fetcher.hold(A.digest)
    depot.downloads.want(A, urgent=False)
    await asyncio.sleep(0.01)
    depot.downloads.forget(A.digest)
    depot.downloads.want(B, urgent=False)
    assert await depot.next() == MediaStored(B.digest)
    assert A.digest not in depot.store.stored


async def test_asking_twice_brings_once(depot: Depot) -> None:
    depot.downloads.want(A, urgent=False)
    depot.downloads.want(A, urgent=False)
    assert await depot.next() == MediaStored(A.digest)
    depot.downloads.want(B, urgent=False)
    assert await depot.next() == MediaStored(B.digest)
