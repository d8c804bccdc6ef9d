"""The smallest controller that an agent believes: signs a schedule, answers nonces, serves one programme by HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web
from amqtt.broker import Broker

from protocol import codec
from protocol.audible_config import AudibleConfig
from protocol.bulletin import BulletinClass, Explicit, MediaRef
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, sign
from protocol.freshness import Attestation
from protocol.grants import Anchor, Grant
from protocol.keys import SigningKey
from protocol.parcel import pack_parcel
from protocol.schedule import Item, Programme, Schedule
from protocol.units import UnitPath
from protocol.verbs import Verb

PROVINCE: Final = UnitPath("vn/92")
COMMUNE: Final = UnitPath("vn/92/31498")
PLACE: Final = UnitPath("vn/92/31498/c07")
_DAY_MS: Final = 86_400_000


def wall_now() -> WallMs:
    """The present."""
    return WallMs(time.time_ns() // 1_000_000)


@dataclass(slots=True)
class LittleController:
    """Runs within `async with`; then `mqtt_port` and `http_port` are set."""

    sound: Path
    duration_ms: int
    mqtt_port: int = 0
    http_port: int = 0
    _key: SigningKey = field(default_factory=SigningKey.generate)
    _parcels: list[bytes] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def anchor(self) -> Anchor:
        """One key for everything."""
        return Anchor(PROVINCE, (self._key.public,), 1, (self._key.public,))

    @property
    def media(self) -> MediaRef:
        """The one programme."""
        data = self.sound.read_bytes()
        return MediaRef(hashlib.sha256(data).hexdigest(), len(data), self.duration_ms)

    async def __aenter__(self) -> LittleController:
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": "127.0.0.1:0"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        await broker.start()
        self._stack.push_async_callback(broker.shutdown)
        server = broker._servers["default"].instance
        assert isinstance(server, asyncio.Server), "a TCP listener"
        self.mqtt_port = int(server.sockets[0].getsockname()[1])
        await self._serve()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_get("/media/{digest}", self._send_media)
        app.router.add_post("/device/v1/attest", self._attest)
        app.router.add_get("/device/v1/documents", self._documents)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.http_port = runner.addresses[0][1]

    def plan(self, start: WallMs) -> None:
        """From now on the programme is in the signed schedule, and no hour is quiet."""
        wall = wall_now()
        when, programme = Explicit((start,)), Programme(self.media)
        item = Item("one", "One programme", BulletinClass.ORDINARY, programme, when, (COMMUNE,))
        documents = (
            (Kind.GRANT, self._grant(wall)),
            (Kind.AUDIBLE_CONFIG, AudibleConfig(COMMUNE, 1, wall)),
            (Kind.SCHEDULE, Schedule(COMMUNE, 1, wall, WallMs(wall + _DAY_MS), (item,))),
        )
        self._parcels = [pack_parcel(COMMUNE, tuple(self._sign(kind, document) for kind, document in documents))]

    def _grant(self, wall: WallMs) -> Grant:
        return Grant(
            scope=COMMUNE,
            holder="commune",
            verbs=(Verb.SCHEDULE, Verb.CONFIGURE),
            keys=(self._key.public,),
            threshold=1,
            depth=0,
            not_before=WallMs(wall - _DAY_MS),
            expires=WallMs(wall + _DAY_MS),
            epoch=0,
            serial=1,
            parent="anchor",
        )

    def _sign(self, kind: Kind, document: object) -> Envelope:
        return sign(kind, codec.encode(document), (self._key,))

    async def _attest(self, request: web.Request) -> web.Response:
        nonce = str((await request.json())["nonce"])
        return web.Response(body=self._sign(Kind.ATTESTATION, Attestation(nonce, wall_now())).pack())

    async def _send_media(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(self.sound)

    async def _documents(self, request: web.Request) -> web.Response:
        """Answers late when there is nothing new, as the real one does."""
        cursor = str(len(self._parcels))
        for _ in range(int(request.query["wait"]) * 4):
            cursor = str(len(self._parcels))
            if cursor != (request.query["cursor"] or "0"):
                body = {"cursor": cursor, "parcels": [one.decode() for one in self._parcels]}
                return web.Response(text=json.dumps(body), content_type="application/json")
            await asyncio.sleep(0.25)
        return web.Response(status=204)
