"""A controller's outer edge as the tools see it, on a free port."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign, unpack
from protocol.freshness import Attestation
from protocol.keys import SigningKey
from provisioning.i18n import CATALOGUE
from provisioning.terminal import console

FRESHNESS = SigningKey.from_seed(b"f" * 32)
TOKEN = "the-device-token"


@dataclass
class Controller:
    """Answers devices and takes envelopes."""

    origin: str = ""
    wall: WallMs = WallMs(0)
    key: SigningKey = FRESHNESS
    nonce: str | None = None
    parcels: list[str] = field(default_factory=list)
    media: dict[str, bytes] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    state: str = "accepted"
    answer: bytes | None = None

    async def attest(self, request: web.Request) -> web.Response:
        _check_token(request)
        nonce = self.nonce or (await request.json())["nonce"]
        envelope = sign(Kind.ATTESTATION, codec.encode(Attestation(nonce, self.wall)), [self.key])
        return web.Response(body=self.answer or envelope.pack())

    async def documents(self, request: web.Request) -> web.Response:
        _check_token(request)
        if self.answer is not None:
            return web.Response(body=self.answer)
        if not self.parcels:
            return web.Response(status=204)
        return web.Response(text=json.dumps({"cursor": "7", "parcels": self.parcels, "alerts": []}))

    async def give(self, request: web.Request) -> web.Response:
        if request.match_info["digest"] not in self.media:
            raise web.HTTPNotFound
        return web.Response(body=self.media[request.match_info["digest"]])

    async def take(self, request: web.Request) -> web.Response:
        made = [unpack(one.encode()) for one in (await request.json())["envelopes"]]
        self.taken += made
        rows = [{"digest": one.digest, "kind": one.kind, "state": self.state} for one in made]
        return web.json_response({"results": rows})


def _check_token(request: web.Request) -> None:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        raise web.HTTPUnauthorized


@pytest.fixture(autouse=True)
def english() -> None:
    """The tools speak Vietnamese unless they are asked."""
    CATALOGUE.use("en")


@pytest.fixture
async def controller() -> AsyncIterator[Controller]:
    made = Controller()
    app = web.Application()
    app.router.add_post("/device/v1/attest", made.attest)
    app.router.add_get("/device/v1/documents", made.documents)
    app.router.add_get("/media/{digest}", made.give)
    app.router.add_post("/api/v1/envelopes", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture(autouse=True)
def wide_terminal() -> None:
    """Whatever width the tests themselves are run at, sentences are not broken."""
    console.width = 200
