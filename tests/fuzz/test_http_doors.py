"""Requests by nobody to the controller and the signer: every one is answered, none as a failure of ours."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import zlib
from collections import Counter
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import pytest
from aiohttp import web

from protocol import codec
from signer.app import make_app
from signer.config import SignerConfig
from tests.controller.running import RunningController
from tests.fuzz import material, office_targets
from tests.fuzz.raw_http import odd_request, request, status_of
from tests.protocol.people import ANCHOR

pytestmark = pytest.mark.slow
REQUESTS = 500
CONTROLLER_PATHS = (
    b"/",
    b"/login",
    b"/api/v1/envelopes",
    b"/api/v1/session",
    b"/api/v1/openapi.json",
    b"/api/v1/units/vn%2F92/signing-request",
    b"/api/v1/devices",
    b"/api/v1/media",
    b"/media/" + b"0" * 64,
    b"/media",
    b"/device/v1/attest",
    b"/device/v1/documents?place=vn/92&cursor=a&wait=0",
    b"/language",
    b"/events",
    b"/bulletins/1",
    b"/units/vn/92",
    b"/static/style.css",
)
SIGNER_PATHS = (b"/", b"/review", b"/review/abc", b"/review/abc/sign", b"/log", b"/static/style.css", b"/carried")


def controller_bodies() -> list[bytes]:
    packed = [one.decode("utf-8", "replace") for one in material.envelopes()[:16]]
    sign_in = b"login=author&password=x&onward=%2F&held=%7B%22action%22%3A%22%2Fa%22%7D"
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc\r\n--x--\r\n'
    session = material.json_seed({"login": "author", "password": "x"})
    nonce = material.json_seed({"nonce": material.NONCE})
    odd = (b"[" * 5000, b'{"envelopes":["\\ud800"]}', b'{"envelopes":[' + b"1" * 5000 + b"]}")
    return [material.json_seed({"envelopes": packed}), session, nonce, sign_in, part, *odd]


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Failures that our own programs logged; aiohttp logs what is not HTTP by itself."""
    return [
        one.getMessage() for one in caplog.records if one.exc_info and one.name.startswith(("controller", "signer"))
    ]


async def hammer(port: int, paths: tuple[bytes, ...], bodies: list[bytes]) -> Counter[int]:
    """Sends odd requests, some at a time; a failure names the seed that makes it again."""
    met: Counter[int] = Counter()
    host = b"127.0.0.1:%d" % port

    async def send(seed: int) -> None:
        data = odd_request(Random(seed), host=host, paths=paths, bodies=bodies)
        status = await status_of(port, data)
        assert status < 500 or status == 503, f"seed {seed}: {status} for {data[:400]!r}"
        met[status] += 1

    for first in range(0, REQUESTS, 10):
        await asyncio.gather(*(send(seed) for seed in range(first, first + 10)))
    return met


async def test_controller_answers_strangers_without_failing(
    controller: RunningController, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    met = await hammer(controller.config.port, CONTROLLER_PATHS, controller_bodies())
    assert met[200]
    assert met[400]
    assert not [one for one in caplog.records if one.exc_info and one.name != "aiohttp.server"], (
        "a stranger fills the log with tracebacks"
    )
    await controller.person("author")


STRANGE = {
    "cookie of another program": (b"GET", b"/login", [(b"Cookie", b"loalang_told=NQ==")], b"", 200),
    "cookie that is no text": (b"GET", b"/", [(b"Cookie", b"loalang_session=\xff")], b"", 400),
    "token that is no text": (b"GET", b"/device/v1/documents", [(b"Authorization", b"Bearer \xff")], b"", 400),
    "origin that is no address": (b"POST", b"/language", [(b"Origin", b"http://[")], b"", 400),
    "envelopes nested without end": (b"POST", b"/api/v1/envelopes", [], b"[" * 50_000, 400),
    "number without end": (b"POST", b"/api/v1/envelopes", [], b'{"envelopes":[' + b"1" * 5000 + b"]}", 400),
    "half a letter": (b"POST", b"/api/v1/session", [], b'{"login":"\\ud800","password":"x"}', 400),
    "form without its boundary": (b"POST", b"/language", [(b"Content-Type", b"multipart/form-data")], b"x", 400),
    "form in another alphabet": (
        b"POST",
        b"/login",
        [(b"Content-Type", b"application/x-www-form-urlencoded; charset=utf-7")],
        b"login=+2AA-",
        415,
    ),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_strange_request_is_refused_by_its_name(
    name: str, controller: RunningController, caplog: pytest.LogCaptureFixture
) -> None:
    method, path, headers, body, status = STRANGE[name]
    host = b"127.0.0.1:%d" % controller.config.port
    sent = request(method, path, [(b"Host", host), *headers], body)
    assert await status_of(controller.config.port, sent) == status
    assert not tracebacks(caplog)


@pytest.fixture
def signer_data(tmp_path: Path) -> Path:
    (tmp_path / "anchor.json").write_bytes(codec.encode(ANCHOR))
    return tmp_path


async def test_signer_answers_strangers_without_failing(signer_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    runner = web.AppRunner(make_app(SignerConfig(signer_data)), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        forms = [json.loads(one) for one in office_targets._forms()[:4]]
        bodies = [urlencode(form).encode() for form in forms]
        met = await hammer(port, SIGNER_PATHS, [*bodies, b"payload=" + base64.b64encode(b"x"), b"=&" * 50])
        assert met[200]
        assert not [one for one in caplog.records if one.exc_info and one.name != "aiohttp.server"], (
            "a stranger fills the log with tracebacks"
        )
    finally:
        await runner.cleanup()


async def test_small_body_that_unpacks_to_a_gigabyte_is_refused(controller: RunningController) -> None:
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(1024)) + packer.flush()
    port = controller.config.port
    headers = [
        (b"Host", b"127.0.0.1:%d" % port),
        (b"Content-Type", b"application/json"),
        (b"Content-Encoding", b"deflate"),
    ]
    async with asyncio.timeout(10):
        status = await status_of(port, request(b"POST", b"/api/v1/envelopes", headers, bomb))
    assert 400 <= status < 500
