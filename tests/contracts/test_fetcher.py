"""What every Fetcher promises, against a real web server that can misbehave."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from edge.adapters.http_fetch import POLL_BYTES_MAX, HttpFetcher
from edge.adapters.media_store import DiskMediaStore
from edge.backoff import Backoff
from edge.core.events import EnvelopeReceived, Event, ParcelReceived, Route
from edge.ports import FetchError
from protocol.bulletin import MediaRef
from protocol.units import UnitPath
from simulators.network import Network

SOUND = bytes(range(256)) * 2048
MEDIA = MediaRef(hashlib.sha256(SOUND).hexdigest(), len(SOUND), 1000)
PLACE = UnitPath("vn/92/31498/c07")


class Server:
    """The device's side of a controller, over which the test has a hand."""

    def __init__(self) -> None:
        self.body = SOUND
        self.ranges = True
        self.status = 200
        self.stall = False
        self.asked: list[str] = []
        self.answers: list[Any] = []
        self.port = 0

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/media/{digest}", self.media)
        app.router.add_post("/device/v1/attest", self.attest)
        app.router.add_get("/device/v1/documents", self.documents)
        return app

    async def media(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.headers.get("Range", ""))
        begin = int(request.headers["Range"][6:-1]) if self.ranges and "Range" in request.headers else 0
        headers = {"Content-Range": f"bytes {begin}-{len(self.body) - 1}/{len(self.body)}"} if begin else {}
        response = web.StreamResponse(status=206 if begin else self.status, headers=headers)
        await response.prepare(request)
        if self.stall:
            await response.write(self.body[:1000])
            await asyncio.sleep(60)
        await response.write(self.body[begin:])
        return response

    async def attest(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer secret"
        return web.Response(body=json.dumps(await request.json()).encode(), status=self.status)

    async def documents(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.query['place']} {request.query['cursor']}")
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, bytes):
            return web.Response(body=answer)
        if answer is None:
            await asyncio.sleep(0.05)
            return web.Response(status=204)
        return web.json_response(answer)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    runner = web.AppRunner(server.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()


def fetcher_at(port: int, *, idle_s: float = 5.0) -> HttpFetcher:
    backoff = Backoff(low_s=0.02, high_s=0.02)
    url = f"http://127.0.0.1:{port}/"
    return HttpFetcher(url, token="secret", place=PLACE, idle_s=idle_s, wait_s=1, backoff=backoff)


@pytest.fixture
async def fetcher(server: Server) -> AsyncIterator[HttpFetcher]:
    async with fetcher_at(server.port) as fetcher:
        yield fetcher


@pytest.fixture
def store(tmp_path: Path) -> DiskMediaStore:
    return DiskMediaStore(tmp_path / "media", reserve_bytes=0)


async def bring(fetcher: HttpFetcher, store: DiskMediaStore) -> None:
    sink = store.sink(MEDIA)
    try:
        await fetcher.fetch(MEDIA, sink)
    finally:
        await sink.close()


async def take(fetcher: HttpFetcher, count: int) -> list[Event]:
    found: list[Event] = []
    async with asyncio.timeout(5):
        events = fetcher.parcels()
        while len(found) < count:
            found.append(await anext(events))
    await events.aclose()  # type: ignore[attr-defined]
    return found


async def test_medium_is_brought_in(fetcher: HttpFetcher, store: DiskMediaStore) -> None:
    await bring(fetcher, store)
    assert store.digests() == {MEDIA.digest}


async def begin(store: DiskMediaStore, size: int) -> None:
    sink = store.sink(MEDIA)
    await sink.write(SOUND[:size])
    await sink.close()


async def test_rest_is_asked_by_range(server: Server, fetcher: HttpFetcher, store: DiskMediaStore) -> None:
    await begin(store, 1000)
    await bring(fetcher, store)
    assert server.asked == ["bytes=1000-"]
    assert store.digests() == {MEDIA.digest}


async def test_server_without_ranges(server: Server, fetcher: HttpFetcher, store: DiskMediaStore) -> None:
    server.ranges = False
    await begin(store, 100_000)
    await bring(fetcher, store)
    assert store.digests() == {MEDIA.digest}


async def test_whole_part_needs_no_server(server: Server, fetcher: HttpFetcher, store: DiskMediaStore) -> None:
    await begin(store, len(SOUND))
    await bring(fetcher, store)
    assert server.asked == []
    assert store.digests() == {MEDIA.digest}


async def test_cut_network_keeps_what_came(server: Server, store: DiskMediaStore, tmp_path: Path) -> None:
    network = Network(bytes_per_s=1_000_000)
    async with fetcher_at(await network.open("127.0.0.1", server.port)) as fetcher:
        bringing = asyncio.create_task(bring(fetcher, store))
        part = part_in(tmp_path)
        async with asyncio.timeout(5):
            while not part.exists() or part.stat().st_size == 0:
                await asyncio.sleep(0.01)
        network.cut()
        with pytest.raises(FetchError):
            await bringing
        network.restore()
        network.bytes_per_s = None
        await bring(fetcher, store)
    await network.close()
    assert server.asked[0] == ""
    assert server.asked[1].startswith("bytes=")
    assert store.digests() == {MEDIA.digest}


def part_in(directory: Path) -> Path:
    return directory / "media" / f"{MEDIA.digest}.part"


async def test_damaged_body_is_thrown_away(server: Server, fetcher: HttpFetcher, store: DiskMediaStore) -> None:
    server.body = bytes(len(SOUND))
    with pytest.raises(FetchError) as failed:
        await bring(fetcher, store)
    assert failed.value.damaged


async def test_too_large_body_is_left(
    server: Server, fetcher: HttpFetcher, store: DiskMediaStore, tmp_path: Path
) -> None:
    server.body = SOUND * 8
    with pytest.raises(FetchError):
        await bring(fetcher, store)
    assert part_in(tmp_path).stat().st_size <= len(SOUND)


async def test_body_of_another_length_is_left(server: Server, store: DiskMediaStore, tmp_path: Path) -> None:
    """Else it would stand before the true rest, and all of it would be brought in vain."""

    async def other(request: web.Request) -> web.Response:
        return web.Response(body=b"something else")

    app = web.Application()
    app.router.add_get("/media/{digest}", other)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with fetcher_at(runner.addresses[0][1]) as fetcher:
        with pytest.raises(FetchError, match="something else"):
            await bring(fetcher, store)
    await runner.cleanup()
    assert part_in(tmp_path).stat().st_size == 0
    async with fetcher_at(server.port) as fetcher:
        await bring(fetcher, store)
    assert store.digests() == {MEDIA.digest}


async def test_download_leaves_room_on_the_line(server: Server, fetcher: HttpFetcher, store: DiskMediaStore) -> None:
    """What the window allows queues up before a thin line, and an emergency behind it (pain 15)."""
    await bring(fetcher, store)
    (pooled,) = fetcher._session().connector._conns.values()  # type: ignore[union-attr]
    transport = pooled[0][0].transport
    assert transport is not None
    assert transport.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 16 * 1024


async def test_missing_medium_is_an_error(server: Server, fetcher: HttpFetcher, store: DiskMediaStore) -> None:
    server.status = 404
    with pytest.raises(FetchError, match="404"):
        await bring(fetcher, store)


async def test_stalled_transfer_ends(server: Server, store: DiskMediaStore, tmp_path: Path) -> None:
    server.stall = True
    async with fetcher_at(server.port, idle_s=0.1) as fetcher:
        with pytest.raises(FetchError):
            await bring(fetcher, store)
    assert part_in(tmp_path).stat().st_size == 1000


async def test_absent_controller_is_an_error(store: DiskMediaStore) -> None:
    async with fetcher_at(1) as fetcher:
        with pytest.raises(FetchError):
            await fetcher.attest("0" * 32)


async def test_attestation_answers_the_nonce(fetcher: HttpFetcher) -> None:
    assert json.loads(await fetcher.attest("ab" * 16)) == {"nonce": "ab" * 16}


async def test_refused_attestation_is_an_error(server: Server, fetcher: HttpFetcher) -> None:
    server.status = 401
    with pytest.raises(FetchError, match="401"):
        await fetcher.attest("0" * 32)


async def test_poll_tells_alerts_first(server: Server, fetcher: HttpFetcher) -> None:
    server.answers = [{"cursor": "1", "parcels": ["p1", "p2"], "alerts": ["a1"]}]
    assert await take(fetcher, 3) == [
        EnvelopeReceived(b"a1", Route.HTTP),
        ParcelReceived(b"p1", Route.HTTP),
        ParcelReceived(b"p2", Route.HTTP),
    ]


@pytest.mark.slow
async def test_cursor_moves_after_all_was_taken(server: Server, fetcher: HttpFetcher) -> None:
    server.answers = [{"cursor": "1", "parcels": ["p1"]}, None, {"cursor": "2", "alerts": ["a"]}]
    assert await take(fetcher, 2) == [ParcelReceived(b"p1", Route.HTTP), EnvelopeReceived(b"a", Route.HTTP)]
    assert server.asked == [f"{PLACE} ", f"{PLACE} 1", f"{PLACE} 1"]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"not json",
        b"[]",
        b"{}",
        b'{"cursor": 1}',
        b'{"cursor": ""}',
        b'{"cursor": "1", "parcels": [1]}',
        b'{"cursor": "1", "parcels": "p"}',
        b'"' + b"x" * POLL_BYTES_MAX + b'"',
    ],
)
async def test_nonsense_is_asked_again(server: Server, fetcher: HttpFetcher, nonsense: bytes) -> None:
    server.answers = [nonsense, {"cursor": "1", "parcels": ["p1"]}]
    assert await take(fetcher, 1) == [ParcelReceived(b"p1", Route.HTTP)]


async def test_moved_device_asks_for_its_new_place(server: Server, fetcher: HttpFetcher) -> None:
    server.answers = [{"cursor": "1", "parcels": ["here"]}, {"cursor": "2", "parcels": ["there"]}]
    events = fetcher.parcels()
    assert await anext(events) == ParcelReceived(b"here", Route.HTTP)
    fetcher.relocate(UnitPath("vn/92/31507/c01"))
    assert await anext(events) == ParcelReceived(b"there", Route.HTTP)
    await events.aclose()  # type: ignore[attr-defined]
    assert server.asked == [f"{PLACE} ", "vn/92/31507/c01 1"]
