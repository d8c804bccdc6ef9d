"""A web server that belongs to the attacker: long poll, media and attestations answer whatever he wants."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from protocol import codec
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.freshness import Attestation
from protocol.keys import SigningKey

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class AttackerWeb:
    """Listens on a free port of 127.0.0.1.

    Attributes:
        media: bytes given out for each digest.
        wall: what time it says it is, signed with the freshness key; None: nobody answers.
        root: what lies below `/root/`, by path: bytes, or any answer.
        poll, fetch, attest: may be replaced by any other answer; None is the honest one.
        asked: paths that were asked for.
    """

    def __init__(self, freshness: SigningKey, *, wall: Callable[[], WallMs]) -> None:
        self.port = 0
        self.media: dict[str, bytes] = {}
        self.root: Mapping[str, bytes | Answer] = {}
        self.wall: Callable[[], WallMs] | None = wall
        self.poll: Answer | None = None
        self.fetch: Answer | None = None
        self.attest: Answer | None = None
        self.asked: list[str] = []
        self._freshness = freshness
        self._cursor = 0
        self._parcels: list[str] = []
        self._alerts: list[str] = []
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Starts listening."""
        app = web.Application()
        app.router.add_get("/device/v1/documents", self._poll)
        app.router.add_post("/device/v1/attest", self._attest)
        app.router.add_get("/media/{digest}", self._media)
        app.router.add_get("/root/{name:.+}", self._root)
        app.router.add_route("*", "/{elsewhere:.*}", self._elsewhere)
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def tell(self, *, parcels: list[bytes] | None = None, alerts: list[bytes] | None = None) -> None:
        """Answers every waiting poll, once, with these."""
        async with self._changed:
            self._parcels = [one.decode(errors="replace") for one in parcels or []]
            self._alerts = [one.decode(errors="replace") for one in alerts or []]
            self._cursor += 1
            self._changed.notify_all()

    async def _poll(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.poll is not None:
            return await self.poll(request)
        cursor = request.query["cursor"]
        try:
            async with asyncio.timeout(int(request.query["wait"])), self._changed:
                await self._changed.wait_for(lambda: self._cursor > 0 and str(self._cursor) != cursor)
        except TimeoutError:
            return web.Response(status=204)
        body: dict[str, Any] = {"cursor": str(self._cursor), "parcels": self._parcels, "alerts": self._alerts}
        return web.json_response(body)

    async def _attest(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.attest is not None:
            return await self.attest(request)
        if self.wall is None:
            raise web.HTTPServiceUnavailable
        nonce = (await request.json())["nonce"]
        made = codec.encode(Attestation(nonce, self.wall()))
        return web.Response(body=sign(Kind.ATTESTATION, made, [self._freshness]).pack())

    async def _media(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if self.fetch is not None:
            return await self.fetch(request)
        data = self.media.get(request.match_info["digest"])
        if data is None:
            raise web.HTTPNotFound
        return web.Response(body=data)

    async def _root(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        found = self.root.get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        return web.Response(body=found) if isinstance(found, bytes) else await found(request)

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        return web.Response(text="you should not be here")
