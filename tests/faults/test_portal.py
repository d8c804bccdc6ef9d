"""A captive portal on a plain line, where no certificate unmasks it: it is never taken for the controller."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from edge.adapters.http_fetch import HttpFetcher
from edge.adapters.media_store import DiskMediaStore
from edge.adapters.mqtt_link import Broker, MqttLink
from edge.backoff import Backoff
from edge.core.events import Event
from edge.ports import FetchError
from protocol.bulletin import MediaRef
from protocol.envelope import unpack
from protocol.errors import DocumentError
from protocol.units import UnitPath
from simulators.captive_portal import CaptivePortal, Manner
from simulators.network import Network

PLACE = UnitPath("vn/92/31498/c07")
SOUND = bytes(range(256)) * 2048
MEDIA = MediaRef(hashlib.sha256(SOUND).hexdigest(), len(SOUND), 1000)
MOMENT_S = 0.15


@pytest.fixture(params=list(Manner))
async def portal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[CaptivePortal]:
    async with CaptivePortal(tmp_path) as portal:
        portal.manner = request.param
        yield portal


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    """The way to a true web server with one medium, as yet without a portal."""

    async def media(request: web.Request) -> web.Response:
        begin = request.http_range.start or 0
        headers = {"Content-Range": f"bytes {begin}-{len(SOUND) - 1}/{len(SOUND)}"} if begin else {}
        return web.Response(body=SOUND[begin:], status=206 if begin else 200, headers=headers)

    app = web.Application()
    app.router.add_get("/media/{digest}", media)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    network = Network()
    await network.open("127.0.0.1", runner.addresses[0][1])
    yield network
    await network.close()
    await runner.cleanup()


def fetcher_at(port: int) -> HttpFetcher:
    backoff = Backoff(low_s=0.02, high_s=0.02)
    return HttpFetcher(f"http://127.0.0.1:{port}", token="secret", place=PLACE, wait_s=1, backoff=backoff)


async def test_its_page_is_no_time(portal: CaptivePortal) -> None:
    async with fetcher_at(portal.port) as fetcher:
        try:
            answer = await fetcher.attest("0" * 32)
        except FetchError:
            return
    with pytest.raises(DocumentError):
        unpack(answer)


async def events_of(fetcher: HttpFetcher) -> list[Event]:
    found = []
    try:
        async with asyncio.timeout(MOMENT_S):
            async for event in fetcher.parcels():
                found.append(event)
    except TimeoutError:
        pass
    return found


async def test_its_page_is_no_document(portal: CaptivePortal) -> None:
    async with fetcher_at(portal.port) as fetcher:
        assert not await events_of(fetcher)
    assert len(portal.asked) > 1, "it was asked again and again"


@pytest.mark.parametrize("there_bytes", [0, 100_000])
async def test_its_page_is_no_sound(
    portal: CaptivePortal, network: Network, tmp_path: Path, there_bytes: int
) -> None:
    """A page that were taken for the first bytes of a programme would cost the whole download once more."""
    store = DiskMediaStore(tmp_path / "media", reserve_bytes=0)
    sink = store.sink(MEDIA)
    await sink.write(SOUND[:there_bytes])
    await sink.close()
    (proxy,) = network.proxies
    port = proxy.port
    network.capture(portal.port)
    async with fetcher_at(port) as fetcher:
        with pytest.raises(FetchError) as failed:
            await bring(fetcher, store)
        assert not failed.value.damaged
        assert (tmp_path / "media" / f"{MEDIA.digest}.part").stat().st_size == there_bytes
        network.restore()
        await bring(fetcher, store)
    assert store.digests() == {MEDIA.digest}


async def bring(fetcher: HttpFetcher, store: DiskMediaStore) -> None:
    sink = store.sink(MEDIA)
    try:
        await fetcher.fetch(MEDIA, sink)
    finally:
        await sink.close()


async def test_its_page_is_no_broker(portal: CaptivePortal) -> None:
    way = Broker("127.0.0.1", portal.port, "dev-c07", "secret", keepalive_s=1, timeout_s=1.0)
    link, found = MqttLink(way, PLACE, backoff=Backoff(low_s=0.02, high_s=0.02)), []
    try:
        async with asyncio.timeout(MOMENT_S):
            async for event in link.events():
                found.append(event)
    except TimeoutError:
        pass
    assert not found
    assert len(portal.asked) > 1, "it is tried again and again"
