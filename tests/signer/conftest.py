"""A signer and a controller on free ports, and the demo's ceremony with cheap passphrases."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from protocol.clock import MonoMs, WallMs
from protocol.document import Kind, kind_of
from protocol.envelope import Envelope, unpack
from protocol.keys import SigningKey
from provisioning.demo import Ceremony, make_ceremony
from signer.app import make_app
from signer.config import SignerConfig
from signer.signing import HandOver, sign_request
from tests.signer import documents, office

PLACES = {
    "vn/92": {"name": "Thành phố Cần Thơ", "loudspeakers": 24, "people": 38_500},
    "vn/92/31498": {"name": "Xã Long Phú", "loudspeakers": 9, "people": 14_200},
    "vn/92/31498/c01": {"name": "Ấp 1", "loudspeakers": 1, "people": 1_500},
    "vn/92/31507": {"name": "Xã Đại Ngãi", "loudspeakers": 8, "people": 12_800},
    "vn/92/31528": {"name": "Xã Trường Khánh", "loudspeakers": 7, "people": 11_500},
}
CHEAP = 2


@pytest.fixture(scope="session")
def kept_ceremony(tmp_path_factory: pytest.TempPathFactory) -> Ceremony:
    data = tmp_path_factory.mktemp("ceremony")
    freshness = SigningKey.from_seed(b"f" * 32).public
    made = make_ceremony(data, freshness_key=freshness, places=PLACES, wall=documents.NOW, cost=CHEAP)
    words = data / "signer" / "assignments"
    words.mkdir(exist_ok=True)
    (words / "first.json").write_bytes(office.signed(office.first_words(), office.anchor_keys(made)).pack())
    return made


@pytest.fixture
def ceremony(kept_ceremony: Ceremony, tmp_path: Path) -> Ceremony:
    """Its own copy for each story, so what one signs is unknown to the next."""
    data = tmp_path / "data"
    for source in kept_ceremony.data.rglob("*"):
        if source.is_file():
            target = data / source.relative_to(kept_ceremony.data)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    return Ceremony(data, data / "anchor.json", kept_ceremony.anchor, kept_ceremony.people, kept_ceremony.grants)


@dataclass
class Controller:
    """Gives out media and takes envelopes, as the real one does at its edge."""

    origin: str = ""
    media: dict[str, bytes] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)
    state: str = "accepted"
    away: bool = False
    authority: list[str] | None = None

    async def tell(self, _request: web.Request) -> web.Response:
        if self.authority is None:
            raise web.HTTPNotFound
        return web.json_response({"envelopes": self.authority})

    async def give(self, request: web.Request) -> web.Response:
        if request.match_info["digest"] not in self.media:
            raise web.HTTPNotFound
        return web.Response(body=self.media[request.match_info["digest"]], content_type="audio/ogg")

    async def take(self, request: web.Request) -> web.Response:
        if self.away:
            raise web.HTTPServiceUnavailable
        packed = (await request.json())["envelopes"]
        self.taken += [unpack(one.encode()) for one in packed]
        refusal = "out_of_scope" if self.state == "refused" else None
        results = [
            {
                "digest": one.digest,
                "kind": kind_of(one).value,
                "state": self.state,
                "refusal": refusal,
                "detail": "vn/1",
            }
            for one in self.taken
        ]
        return web.json_response({"results": results})

    def add(self, sound: bytes = documents.SOUND) -> None:
        self.media[documents.media(sound).digest] = sound


async def start(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@pytest.fixture
async def controller() -> AsyncIterator[Controller]:
    made = Controller()
    app = web.Application()
    app.router.add_get("/media/{digest}", made.give)
    app.router.add_post("/api/v1/envelopes", made.take)
    app.router.add_get("/api/v1/authority", made.tell)
    runner, made.origin = await start(app)
    made.add()
    yield made
    await runner.cleanup()


@dataclass
class Desk:
    """A running signer and someone who clicks through its pages."""

    origin: str
    session: aiohttp.ClientSession
    ceremony: Ceremony
    controller: Controller
    clock: dict[str, int]

    def form(self, kind: Kind, payload: bytes, **more: str) -> dict[str, str]:
        back = f"{self.controller.origin}/bulletins/7"
        return HandOver(self.controller.origin, kind, payload, back).form() | more

    async def sign(self, kind: Kind, payload: bytes, *, key: str = "c1", **more: str) -> str:
        passphrase = self.ceremony.person(key).passphrase
        form = self.form(kind, payload, **more)
        return await sign_request(self.session, self.origin, form, key=key, passphrase=passphrase)

    async def open(self, kind: Kind, payload: bytes, *, lang: str = "en", **more: str) -> tuple[str, str]:
        """Address and text of the page that shows a document."""
        form = self.form(kind, payload, **more)
        async with self.session.post(f"{self.origin}/review", data=form, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()
            address = self.origin + answer.headers["Location"]
        return address, await self.read(f"{address}?lang={lang}")

    async def read(self, address: str) -> str:
        async with self.session.get(address) as answer:
            return await answer.text()

    async def refuse(self, name: str, document: bytes = b"{}", **more: str) -> tuple[int, str]:
        """Status and text of the page that refuses a hand-over, in English."""
        form = self.form(Kind.SCHEDULE, document) | {"kind": name} | more
        async with self.session.post(f"{self.origin}/review?lang=en", data=form, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    def log(self) -> list[dict[str, Any]]:
        path = self.ceremony.data / "signer" / "signed" / "log.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
async def desk(ceremony: Ceremony, controller: Controller) -> AsyncIterator[Desk]:
    clock = {"wall": int(documents.NOW), "mono": 0}
    wall: Callable[[], WallMs] = lambda: WallMs(clock["wall"])  # noqa: E731
    mono: Callable[[], MonoMs] = lambda: MonoMs(clock["mono"])  # noqa: E731
    config = SignerConfig(ceremony.data / "signer", controller.origin, port=0, demo=True)
    runner, origin = await start(make_app(config, wall=wall, mono=mono))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Desk(origin, session, ceremony, controller, clock)
    await runner.cleanup()
