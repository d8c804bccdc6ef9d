"""The device's two ways to the controller, as the agent's ports show them: MQTT and HTTPS over one line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Protocol

from edge.backoff import Backoff
from edge.core.events import EnvelopeReceived, Event, LinkChanged, LiveSegmentReceived, ParcelReceived, Route
from edge.ports import FetchError, MediaSink, PortError
from protocol.bulletin import MediaRef
from protocol.topics import ALERT, DOC, down_topics, online_topic
from protocol.units import UnitPath
from simulators.world.broker import Broker
from simulators.world.line import Line

_KEEPALIVE_S: Final = 30.0
_TIMEOUT_S: Final = 20.0


class WorldLink:
    """Implements `edge.ports.Link`.

    Args:
        device: its name at the broker.
    """

    def __init__(self, device: str, place: UnitPath, *, line: Line, broker: Broker) -> None:
        self._device, self._place, self._line, self._broker = device, place, line, broker
        self._arrived: deque[Event] = deque()
        self._came = asyncio.Event()
        self._open = False
        self._lost: set[asyncio.Future[None]] = set()

    async def events(self) -> AsyncIterator[Event]:
        """See `edge.ports.Link`."""
        backoff, loop = Backoff(), asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            if await self._connect():
                yield LinkChanged(True)
                async for event in self._stay():
                    yield event
                yield LinkChanged(False)
            if loop.time() - began_s > 60:
                backoff.reset()
            await asyncio.sleep(backoff.next_s())

    async def _connect(self) -> bool:
        if not self._line.passes:
            await asyncio.sleep(_TIMEOUT_S if self._line.weather.up else 0.2)
            return False
        await asyncio.sleep(self._line.weather.delay_ms * 4 / 1000)
        self._arrived.clear()
        will = (online_topic(self._device), b"0")
        opened = self._line.passes and self._broker.connect(
            self._device, down_topics(self._place), take=self._take, hang_up=self._hang_up, will=will
        )
        if opened:
            self._open = True
            self._line.broken.append(self._fall)
            self._line.carry("up", lambda: self._say(online_topic(self._device), b"1", True))
        return opened

    def _say(self, topic: str, payload: bytes, retain: bool) -> None:
        self._broker.publish(topic, payload, retain=retain)

    def _take(self, topic: str, payload: bytes, _: bool) -> None:
        event = _event(topic, payload)
        self._line.carry("down", lambda: self._arrive(event))

    def _arrive(self, event: Event) -> None:
        if self._open:
            self._arrived.append(event)
            self._came.set()

    def _hang_up(self) -> None:
        """The broker has ended it."""
        self._open = False
        self._came.set()
        for one in self._lost:
            if not one.done():
                one.set_result(None)

    def _fall(self) -> None:
        """The line has ended it."""
        self._broker.leave(self._device, self._hang_up)
        self._hang_up()

    async def _stay(self) -> AsyncIterator[Event]:
        silent_s = 0.0
        while self._open:
            while self._arrived and self._open:
                yield self._arrived.popleft()
            self._came.clear()
            try:
                async with asyncio.timeout(_KEEPALIVE_S if not self._line.passes else None):
                    await self._came.wait()
                silent_s = 0.0
            except TimeoutError:
                silent_s += _KEEPALIVE_S
                if silent_s >= 2 * _KEEPALIVE_S:
                    self._fall()

    def relocate(self, place: UnitPath) -> None:
        """See `edge.ports.Link`."""
        if place != self._place:
            self._place = place
            self._fall()

    def close(self) -> None:
        """The computer is gone; the broker notices."""
        if self._open:
            self._fall()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """See `edge.ports.Link`."""
        if not self._open:
            raise PortError("the link is down")
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        taken: list[bool] = []

        def acknowledged() -> None:
            taken.append(True)
            if not lost.done():
                lost.set_result(None)

        def arrive() -> None:
            if self._broker.publish(topic, payload, retain=retain):
                self._line.carry("down", acknowledged)

        self._lost.add(lost)
        try:
            self._line.carry("up", arrive)
            async with asyncio.timeout(_TIMEOUT_S):
                await lost
        except TimeoutError as error:
            raise PortError("the broker did not answer") from error
        finally:
            self._lost.discard(lost)
        if not taken:
            raise PortError("the link went down")


def _event(topic: str, payload: bytes) -> Event:
    leaf = topic.rpartition("/")[2]
    if leaf == ALERT:
        return EnvelopeReceived(payload, Route.ALERT)
    if leaf == DOC:
        return ParcelReceived(payload, Route.DOC)
    return LiveSegmentReceived(payload)


class Web(Protocol):
    """The controller's door for devices."""

    def attest(self, nonce: str) -> bytes | None:
        """The time; None while nobody answers."""
        ...

    def media(self, digest: str) -> bytes | None:
        """A programme's bytes; None when it is not there or nobody answers."""
        ...

    def documents(self, place: UnitPath, cursor: str) -> tuple[str, list[Event]] | None:
        """What is new since; None while nobody answers."""
        ...


class WorldFetcher:
    """Implements `edge.ports.Fetcher`.

    Args:
        rate_bytes_s: how fast media come.
    """

    def __init__(self, place: UnitPath, *, line: Line, web: Web, rate_bytes_s: int = 50_000) -> None:
        self._place, self._line, self._web, self._rate_bytes_s = place, line, web, rate_bytes_s

    async def _round_trip(self) -> None:
        if not self._line.passes:
            await asyncio.sleep(_TIMEOUT_S if self._line.weather.up else 0.2)
            raise FetchError("the controller does not answer")
        await asyncio.sleep(self._line.weather.delay_ms * 2 / 1000)

    async def fetch(self, media: MediaRef, sink: MediaSink) -> None:
        """See `edge.ports.Fetcher`."""
        await self._round_trip()
        data = self._web.media(media.digest)
        if data is None:
            raise FetchError("404")
        while sink.offset_bytes < len(data):
            part = data[sink.offset_bytes : sink.offset_bytes + self._rate_bytes_s]
            await asyncio.sleep(len(part) / self._rate_bytes_s)
            if not self._line.passes:
                raise FetchError("the transfer broke off")
            await sink.write(part)
        await sink.finish()

    async def attest(self, nonce: str) -> bytes:
        """See `edge.ports.Fetcher`."""
        await self._round_trip()
        answer = self._web.attest(nonce)
        if answer is None:
            raise FetchError("the controller does not answer")
        return answer

    def relocate(self, place: UnitPath) -> None:
        """See `edge.ports.Fetcher`."""
        self._place = place

    async def parcels(self) -> AsyncIterator[Event]:
        """See `edge.ports.Fetcher`."""
        cursor, backoff = "", Backoff()
        while True:
            try:
                await self._round_trip()
            except FetchError:
                await asyncio.sleep(backoff.next_s())
                continue
            found = self._web.documents(self._place, cursor)
            if found is not None:
                backoff.reset()
                cursor, events = found
                for event in events:
                    yield event
            await asyncio.sleep(300.0)
