"""HTTPS of the worlds: downloads that go on where they broke off, portals, and the second path that is held."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from edge.core.events import EnvelopeReceived, Event, Route
from edge.ports import FetchError
from protocol.bulletin import MediaRef
from protocol.units import UnitPath
from simulators.world.line import CUT, HALF_OPEN, Line, Trouble
from simulators.world.web import PORTAL_PAGE, WorldFetcher
from tests.simulators.world.virtual import PLACE, now_s, run

SOUND = bytes(range(256)) * 1000
MEDIA = MediaRef(hashlib.sha256(SOUND).hexdigest(), len(SOUND), 60_000)
PORTAL = Trouble(portal=True)
ALERT = EnvelopeReceived(b"alert", Route.HTTP)


@dataclass
class Office:
    """A controller that answers."""

    news: list[Event] = field(default_factory=list)
    held: list[Callable[[], None]] = field(default_factory=list)
    asked: list[tuple[UnitPath, str]] = field(default_factory=list)

    def attest(self, nonce: str) -> bytes | None:
        return nonce.encode()

    def media(self, digest: str) -> bytes | None:
        return SOUND if digest == MEDIA.digest else None

    def documents(self, place: UnitPath, cursor: str) -> tuple[str, list[Event]] | None:
        self.asked.append((place, cursor))
        return (str(len(self.news)), self.news) if cursor != str(len(self.news)) else None

    def hold(self, told: Callable[[], None]) -> Callable[[], None]:
        self.held.append(told)
        return lambda: self.held.remove(told) if told in self.held else None

    def tell(self, event: Event) -> None:
        self.news.append(event)
        held, self.held = self.held, []
        for told in held:
            told()


class Part:
    """A download's bytes, kept over tries."""

    def __init__(self) -> None:
        self.data = b""
        self.whole = False

    @property
    def offset_bytes(self) -> int:
        return len(self.data)

    async def write(self, data: bytes) -> None:
        self.data += data

    async def finish(self) -> None:
        if len(self.data) < len(SOUND):
            raise FetchError("incomplete")
        damaged = self.data != SOUND
        if damaged:
            self.data = b""
            raise FetchError("another digest", damaged=True)
        self.whole = True

    async def close(self) -> None:
        pass


class Box:
    """A fetcher on its line."""

    def __init__(self) -> None:
        self.line, self.office = Line(random.Random(2)), Office()
        self.fetcher = WorldFetcher(PLACE, line=self.line, web=self.office)
        self.seen: list[tuple[float, Event]] = []

    async def listen(self) -> None:
        async for event in self.fetcher.parcels():
            self.seen.append((now_s(), event))


def test_download_goes_on_where_it_broke_off() -> None:
    async def story() -> tuple[int, bool]:
        box, part = Box(), Part()
        asyncio.get_running_loop().call_later(2, box.line.begin, CUT)
        with pytest.raises(FetchError):
            await box.fetcher.fetch(MEDIA, part)
        kept = part.offset_bytes
        box.line.end(CUT)
        await box.fetcher.fetch(MEDIA, part)
        return kept, part.whole

    kept, whole = run(story())
    assert 0 < kept < len(SOUND)
    assert whole


def test_page_of_a_portal_does_not_become_a_programme() -> None:
    async def story() -> tuple[bytes, bool, bool]:
        box, part = Box(), Part()
        box.line.begin(PORTAL)
        with pytest.raises(FetchError):
            await box.fetcher.fetch(MEDIA, part)
        spoilt = part.data
        box.line.end(PORTAL)
        with pytest.raises(FetchError) as failed:
            await box.fetcher.fetch(MEDIA, part)
        await box.fetcher.fetch(MEDIA, part)
        return spoilt, failed.value.damaged, part.whole

    assert run(story()) == (PORTAL_PAGE, True, True)


def test_portal_tells_no_time() -> None:
    async def story() -> bytes:
        box = Box()
        box.line.begin(PORTAL)
        return await box.fetcher.attest("ab" * 16)

    assert run(story()) == PORTAL_PAGE


def test_thin_line_brings_it_slowly() -> None:
    async def story() -> float:
        box, began_s = Box(), now_s()
        box.line.begin(Trouble(rate_bytes_s=8000))
        await box.fetcher.fetch(MEDIA, Part())
        return now_s() - began_s

    assert run(story()) > len(SOUND) / 8000


def test_held_poll_is_answered_at_once_and_costs_nothing() -> None:
    async def story() -> tuple[float, int]:
        box = Box()
        listening = asyncio.create_task(box.listen())
        loop = asyncio.get_running_loop()
        await asyncio.sleep(100)
        before = loop.turns  # type: ignore[attr-defined]
        await asyncio.sleep(86_400)
        turns: int = loop.turns - before  # type: ignore[attr-defined]
        told_s = now_s()
        box.office.tell(ALERT)
        await asyncio.sleep(10)
        listening.cancel()
        return box.seen[-1][0] - told_s, turns

    late_s, turns = run(story())
    assert late_s < 0.5
    assert turns < 10


def test_dead_poll_is_given_up_and_asked_anew() -> None:
    async def story() -> tuple[int, float]:
        box = Box()
        listening = asyncio.create_task(box.listen())
        await asyncio.sleep(1000)
        box.line.begin(HALF_OPEN)
        box.office.tell(ALERT)
        await asyncio.sleep(600)
        during, back_s = len(box.seen), now_s()
        box.line.end(HALF_OPEN)
        await asyncio.sleep(400)
        listening.cancel()
        return during, box.seen[0][0] - back_s

    during, late_s = run(story())
    assert during == 0
    assert late_s <= 301


def test_moved_device_asks_for_its_new_place() -> None:
    there = UnitPath("vn/92/31007/d00000")

    async def story() -> UnitPath:
        box = Box()
        listening = asyncio.create_task(box.listen())
        await asyncio.sleep(100)
        box.fetcher.relocate(there)
        await asyncio.sleep(60)
        listening.cancel()
        return box.office.asked[-1][0]

    assert run(story()) == there
