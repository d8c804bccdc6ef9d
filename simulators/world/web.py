"""HTTPS to the controller as the agent's fetcher sees it: media by range, the time, and the second path.

Stands for `edge/adapters/http_fetch.py` and the doors behind it (`controller/signing/device_api.py`, media files). It
decides as the real one: what came of a download stays, a portal's page is taken for what it looks like, the cursor
moves when all of an answer was taken. A poll that the controller would answer with "nothing new" every 50 s is held
until there is something, so an idle device costs nothing; what breaks it in between is worked out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Final, Protocol

from edge.backoff import Backoff
from edge.core.events import Event
from edge.ports import FetchError, MediaSink
from protocol.bulletin import MediaRef
from protocol.units import UnitPath
from simulators.world.line import Line, Wire

PORT: Final = "https"
PORTAL_PAGE: Final = b"<html><title>Wi-Fi</title>Please sign in to use the network.</html>" * 12
_IDLE_S: Final = 30.0
_WAIT_S: Final = 50.0
_CHUNK_BYTES: Final = 32 * 1024
_RATE_BYTES_S: Final = 50_000
_REQUEST_BYTES: Final = 400


class Web(Protocol):
    """The controller, as devices may ask it; whoever is away raises FetchError."""

    def attest(self, nonce: str) -> bytes | None:
        """The packed attestation, or None when it does not answer."""
        ...

    def media(self, digest: str) -> bytes | None:
        """The whole medium, or None."""
        ...

    def documents(self, place: UnitPath, cursor: str) -> tuple[str, list[Event]] | None:
        """What is new since the cursor, emergencies first, or None."""
        ...

    def hold(self, told: Callable[[], None]) -> Callable[[], None]:
        """Tells once when `documents` may answer otherwise; the outcome takes that back."""
        ...


class WorldFetcher:
    """Implements `edge.ports.Fetcher`."""

    def __init__(self, place: UnitPath, *, line: Line, web: Web) -> None:
        self._place, self._line, self._web = place, line, web
        self._loop = asyncio.get_running_loop()
        self._held: asyncio.Future[None] | None = None
        self._asked_s = 0.0
        self._backoff = Backoff()

    async def _call(self) -> Wire:
        """A connection on which a question has been asked."""
        try:
            await self._line.reach(PORT, timeout_s=_IDLE_S)
        except (OSError, TimeoutError) as error:
            raise FetchError(f"the controller did not answer: {error}") from error
        wire = self._line.open(PORT, lambda: None)
        try:
            await self._pass(wire, "up", _REQUEST_BYTES)
        except BaseException:
            wire.close()
            raise
        return wire

    async def _pass(self, wire: Wire, way: Any, size_bytes: int) -> None:
        """Returns when so many bytes are over; raises FetchError when nothing comes for too long."""
        if not wire.open:
            raise FetchError("the connection broke off")
        over: asyncio.Future[None] = self._loop.create_future()
        wire.torn = partial(_break, over)
        timer = self._loop.call_later(_IDLE_S, _break, over)
        wire.send(way, partial(_settle, over), size_bytes)
        try:
            await over
        finally:
            timer.cancel()

    async def fetch(self, media: MediaRef, sink: MediaSink) -> None:
        """See `edge.ports.Fetcher`."""
        if sink.offset_bytes < media.size_bytes:
            wire = await self._call()
            try:
                await self._bring(wire, media, sink)
            finally:
                wire.close()
        await sink.finish()

    async def _bring(self, wire: Wire, media: MediaRef, sink: MediaSink) -> None:
        offset = sink.offset_bytes
        if wire.portal:
            body = PORTAL_PAGE[offset:]  # a page of our own that knows nothing of ranges
        else:
            whole = self._web.media(media.digest)
            if whole is None:
                raise FetchError("the controller answers 404")
            body = whole[offset:]
        left = media.size_bytes - offset
        for begin in range(0, len(body), _CHUNK_BYTES):
            part = body[begin : begin + _CHUNK_BYTES]
            await asyncio.sleep(len(part) / _RATE_BYTES_S)
            await self._pass(wire, "down", len(part))
            if len(part) > left:
                raise FetchError("the controller sends more than the document says")
            await sink.write(part)
            left -= len(part)

    async def attest(self, nonce: str) -> bytes:
        """See `edge.ports.Fetcher`."""
        wire = await self._call()
        try:
            answer = PORTAL_PAGE if wire.portal else self._web.attest(nonce)
            await self._pass(wire, "down", len(answer or b""))
        finally:
            wire.close()
        if answer is None:
            raise FetchError("the controller answers 503")
        return answer

    def relocate(self, place: UnitPath) -> None:
        """See `edge.ports.Fetcher`: the poll that is held now ends by itself."""
        self._place = place
        if self._held is not None:
            left_s = _WAIT_S - (self._loop.time() - self._asked_s) % _WAIT_S
            self._loop.call_later(left_s, _settle, self._held)

    async def parcels(self) -> AsyncIterator[Event]:
        """See `edge.ports.Fetcher`."""
        cursor = ""
        while True:
            try:
                cursor_next, events = await self._poll(cursor)
            except FetchError:
                await asyncio.sleep(self._backoff.next_s())
                continue
            self._backoff.reset()
            for event in events:
                yield event
            cursor = cursor_next

    async def _poll(self, cursor: str) -> tuple[str, list[Event]]:
        wire = await self._call()
        try:
            while True:
                if wire.portal:
                    raise FetchError("not an answer to a poll")
                place = self._place
                found = self._web.documents(place, cursor)
                if found is not None:
                    await self._pass(wire, "down", sum(_size_bytes(event) for event in found[1]))
                    return found
                await self._hold(wire)
        finally:
            wire.close()

    async def _hold(self, wire: Wire) -> None:
        """Returns when there may be something new; raises FetchError when the connection is found to be dead."""
        self._held = held = self._loop.create_future()
        self._asked_s = self._loop.time()
        wire.torn = partial(_break, held)
        release = self._web.hold(partial(_settle, held))
        silence = _Silence(self._line, self._asked_s, partial(_break, held))
        try:
            await held
        finally:
            silence.close()
            release()
            self._held = None


class _Silence:
    """Finds out that a held poll can no longer be answered: no answer came 30 s after the last moment for one."""

    def __init__(self, line: Line, asked_s: float, found: Callable[[], None]) -> None:
        self._line, self._asked_s, self._found = line, asked_s, found
        self._timer: asyncio.TimerHandle | None = None
        line.watch(self.look)
        self.look()

    def look(self) -> None:
        """The line has changed."""
        if self._line.passes(port=PORT):
            self._stop()
        elif self._timer is None:
            loop = asyncio.get_running_loop()
            left_s = _WAIT_S + _IDLE_S - (loop.time() - self._asked_s) % _WAIT_S
            self._timer = loop.call_later(left_s, self._found)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """The poll is over."""
        self._stop()
        self._line.unwatch(self.look)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _break(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(FetchError("the connection broke off"))


def _size_bytes(event: Event) -> int:
    return len(getattr(event, "data", b""))
