"""Endless, slow and nonsensical answers of the web: they may silence a path, but not fill or wedge a device."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from aiohttp import web

from edge.adapters.http_fetch import POLL_BYTES_MAX
from protocol.bulletin import Explicit, MediaRef
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.schedule import Programme
from tests.attacks.enduring import little_memory, obeys_by_poll
from tests.attacks.scene import Scene

MB: Final = 1024 * 1024
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def _chunks(
    request: web.Request, chunk: bytes, *, pause_s: float = 0.0, status: int = 200
) -> web.StreamResponse:
    """A body that never ends."""
    response = web.StreamResponse(status=status)
    await response.prepare(request)
    try:
        while True:
            await response.write(chunk)
            await asyncio.sleep(pause_s)
    except (ConnectionError, asyncio.CancelledError):
        return response


async def _bomb(_: web.Request) -> web.StreamResponse:
    """Half a megabyte that unpacks to 128."""
    return web.Response(body=BOMB, headers={"Content-Encoding": "gzip"})


LARGE: Final = b" " * (POLL_BYTES_MAX + 1)
BOMB: Final = gzip.compress(bytes(128 * MB), 1)

ANSWERS: dict[str, Answer] = {
    "endless": lambda request: _chunks(request, b"[" * 65_536),
    "a byte a second": lambda request: _chunks(request, b" ", pause_s=1.0),
    "compressed bomb": _bomb,
    "not JSON": lambda _: _later(web.Response(body=b"\xff" * 1000)),
    "a list": lambda _: _later(web.json_response([1, 2])),
    "deep": lambda _: _later(web.Response(body=b'{"cursor":"x","parcels":' + b"[" * 100_000)),
    "no cursor": lambda _: _later(web.json_response({"parcels": []})),
    "long cursor": lambda _: _later(web.json_response({"cursor": "x" * 1000})),
    "numbers": lambda _: _later(web.json_response({"cursor": "1", "alerts": [1, None]})),
    "too large": lambda _: _later(web.Response(body=LARGE)),
    "error": lambda _: _later(web.Response(status=500)),
    "redirect": lambda _: _later(web.Response(status=307, headers={"Location": "/admin/reboot"})),
}


async def _later(response: web.Response) -> web.StreamResponse:
    return response


@pytest.mark.parametrize("way", ANSWERS)
async def test_poll_answers(scene: Scene, way: str) -> None:
    """a poll answered without end, byte by byte, as a bomb, as nonsense — bounded, left, asked again later."""
    scene.attacker.web.poll = ANSWERS[way]
    await scene.attacker.web.tell(parcels=[])
    with little_memory():
        await scene.ignored(lambda: asyncio.sleep(20))
    assert "/admin/reboot" not in scene.attacker.web.asked
    await scene.still_obeys()
    scene.attacker.web.poll = None
    asked = len(scene.attacker.web.asked)
    async with asyncio.timeout(400):
        while len(scene.attacker.web.asked) == asked:
            await asyncio.sleep(2)
    await obeys_by_poll(scene)


@pytest.mark.parametrize("way", ("endless", "a byte a second", "compressed bomb", "error", "too large", "redirect"))
async def test_attestation_answers(scene: Scene, way: str) -> None:
    """the same as answers to our nonce, after a power cut — bounded, left, and asked again until a true one comes."""
    scene.attacker.web.attest = ANSWERS[way]
    await scene.speaker.cut_power()
    scene.speaker.board.time_sources.error_ms.clear()
    with little_memory():
        await scene.boot()
        await scene.speaker.silent_for(60)
    assert "/admin/reboot" not in scene.attacker.web.asked
    scene.attacker.web.attest = None
    await scene.speaker.wait_state(lambda state: state.clock.attested is not None, within_s=200)
    await scene.still_obeys()


@pytest.mark.parametrize("way", ("endless", "a byte a second", "compressed bomb", "error", "redirect"))
async def test_media_answers(scene: Scene, way: str) -> None:
    """a medium without end, byte by byte, as a bomb — never more than was signed, no emergency waits behind it."""
    media = MediaRef("ab" * 32, 200_000, 35_000)
    scene.attacker.web.fetch = ANSWERS[way]
    item = scene.offices.item("moi", content=Programme(media), when=Explicit((WallMs(scene.wall + 60_000),)))
    with little_memory():
        scene.send(Kind.SCHEDULE, scene.offices.schedule(item))
        await scene.speaker.wait_state(lambda state: media.digest in state.fetching)
        await scene.speaker.silent_for(20)
    assert sum(path.stat().st_size for path in scene.speaker.data.glob(f"media/{media.digest}*")) <= media.size_bytes
    assert "/admin/reboot" not in scene.attacker.web.asked
    await scene.still_obeys()
    await obeys_by_poll(scene)
