"""HTTP to the controller: media by range, the time by nonce, and the second path for documents and emergencies."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final

import aiohttp
from aiohttp import AddrInfoType, ClientResponse, ClientTimeout

from edge.backoff import Backoff
from edge.core.events import EnvelopeReceived, Event, ParcelReceived, Route
from edge.ports import FetchError, MediaSink
from protocol import codec
from protocol.bulletin import MediaRef
from protocol.errors import DocumentError
from protocol.limits import ALERT_ENVELOPE_BYTES_MAX
from protocol.units import UnitPath

POLL_BYTES_MAX: Final = 4 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_CURSOR_CHARS_MAX: Final = 200
_AHEAD_BYTES: Final = 8 * 1024
"""What may be on its way to us at once (TCP's window; Linux offers a little more). All of it queues up in the
operator's network when the line is thin, and an emergency on another connection waits behind it: at 64 kbit/s 16 s
with the kernel's own window, a second with this one. With 100 ms to and fro it still brings 80 kB a second."""
# A controller that does not hold the poll must not be asked without a pause.
_NOTHING_NEW_S: Final = 0.5
_log = logging.getLogger(__name__)


class HttpFetcher:
    """Implements Fetcher against one controller; close it, or use it as a context.

    Args:
        token: for a plain connection; with `tls` the certificate says who we are.
        idle_s: a transfer that brings nothing for this long has failed.
        total_s: one try of one medium; the next try goes on where it ended.
        wait_s: how long the controller may hold a poll when there is nothing new.
    """

    def __init__(
        self,
        controller_url: str,
        *,
        token: str,
        place: UnitPath,
        tls: ssl.SSLContext | None = None,
        idle_s: float = 30.0,
        total_s: float = 1800.0,
        wait_s: int = 50,
        backoff: Backoff | None = None,
    ) -> None:
        self._url, self._place = controller_url.rstrip("/"), place
        self._tls, self._headers = tls, {"Accept-Encoding": "identity"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._idle_s, self._total_s, self._wait_s = idle_s, total_s, wait_s
        self._backoff = backoff or Backoff()
        self._opened: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpFetcher:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Lets go of all connections."""
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            tls = self._tls if self._tls is not None else True
            connector = aiohttp.TCPConnector(ssl=tls, socket_factory=_patient_socket)
            # We ask for nothing packed, so nothing is unpacked: a small answer must not become a large one.
            self._opened = aiohttp.ClientSession(headers=self._headers, connector=connector, auto_decompress=False)
        return self._opened

    def _timeout(self, total_s: float, idle_s: float) -> ClientTimeout:
        return ClientTimeout(total=total_s, sock_connect=self._idle_s, sock_read=idle_s)

    async def fetch(self, media: MediaRef, sink: MediaSink) -> None:
        """Brings the rest of a medium into the sink and finishes it."""
        if sink.offset_bytes < media.size_bytes:
            try:
                await self._bring(media, sink)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise FetchError(f"the download broke off: {_name(error)}") from error
        await sink.finish()

    async def _bring(self, media: MediaRef, sink: MediaSink) -> None:
        offset = sink.offset_bytes
        # The address is the digest, so a resumed body can only be of the same bytes: no If-Range is needed.
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        url = f"{self._url}/media/{media.digest}"
        timeout = self._timeout(self._total_s, self._idle_s)
        async with self._session().get(url, headers=headers, timeout=timeout, allow_redirects=False) as response:
            left = media.size_bytes - offset
            skip = _bytes_before(response, offset, left=left)
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                part = chunk[skip:]
                skip -= len(chunk) - len(part)
                if len(part) > left:
                    raise FetchError("the controller sends more than the document says")
                if part:
                    await sink.write(part)
                left -= len(part)

    async def attest(self, nonce: str) -> bytes:
        """The controller's answer to our nonce."""
        url = f"{self._url}/device/v1/attest"
        try:
            timeout = self._timeout(self._idle_s, self._idle_s)
            asked = {"nonce": nonce}
            async with self._session().post(url, json=asked, timeout=timeout, allow_redirects=False) as response:
                _check(response, 200)
                return await _read(response, bytes_max=ALERT_ENVELOPE_BYTES_MAX)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FetchError(f"the controller did not answer: {_name(error)}") from error

    def relocate(self, place: UnitPath) -> None:
        """From the next poll on; one that is held now ends by itself."""
        self._place = place

    async def parcels(self) -> AsyncIterator[Event]:
        """Polls for ever; the cursor moves only when all of an answer has been taken."""
        cursor, told = "", False
        while True:
            try:
                answer = await self._poll(cursor)
            except FetchError as error:
                _log.log(logging.DEBUG if told else logging.WARNING, "no second path: %s", error)
                told = True
                await asyncio.sleep(self._backoff.next_s())
                continue
            told = False
            self._backoff.reset()
            if answer is None:
                await asyncio.sleep(_NOTHING_NEW_S)
                continue
            for event in answer.events():
                yield event
            cursor = answer.cursor

    async def _poll(self, cursor: str) -> _Answer | None:
        query = {"place": self._place, "cursor": cursor, "wait": str(self._wait_s)}
        idle_s = self._wait_s + self._idle_s
        try:
            timeout = self._timeout(idle_s + self._idle_s, idle_s)
            url = f"{self._url}/device/v1/documents"
            # A controller in wrong hands must not send us about in the village's own network.
            async with self._session().get(url, params=query, timeout=timeout, allow_redirects=False) as response:
                if response.status == 204:
                    return None
                _check(response, 200)
                return _Answer.read(await _read(response, bytes_max=POLL_BYTES_MAX), before=cursor)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FetchError(f"the controller did not answer: {_name(error)}") from error


def _patient_socket(address: AddrInfoType) -> socket.socket:
    """One that is sent little ahead, so that a download does not fill the line before an emergency."""
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _AHEAD_BYTES)
    return made


class _Answer:
    """One answer to a poll: emergencies are told before documents."""

    def __init__(self, cursor: str, parcels: list[bytes], alerts: list[bytes]) -> None:
        self.cursor, self._parcels, self._alerts = cursor, parcels, alerts

    @classmethod
    def read(cls, data: bytes, *, before: str) -> _Answer:
        """Raises FetchError when it is not an answer, or is the same one again: that would be asked without end."""
        try:
            body = codec.parse_json(data, bytes_max=POLL_BYTES_MAX)
        except DocumentError as error:
            raise FetchError(f"not an answer to a poll: {error.detail}") from error
        cursor = body.get("cursor") if isinstance(body, dict) else None
        if not isinstance(cursor, str) or len(cursor) > _CURSOR_CHARS_MAX or not cursor.isprintable():
            raise FetchError("an answer without a cursor that could be sent back")
        if cursor == before:
            raise FetchError("the same answer again")
        return cls(cursor, _texts(body.get("parcels")), _texts(body.get("alerts")))

    def events(self) -> list[Event]:
        """What it tells."""
        alerts: list[Event] = [EnvelopeReceived(data, Route.HTTP) for data in self._alerts]
        return alerts + [ParcelReceived(data, Route.HTTP) for data in self._parcels]


def _texts(value: Any) -> list[bytes]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise FetchError("an answer with something else than texts")
    return [one.encode(errors="replace") for one in value]


def _check(response: ClientResponse, wanted: int) -> None:
    if response.status != wanted:
        raise FetchError(f"the controller answers {response.status}")


def _bytes_before(response: ClientResponse, offset: int, *, left: int) -> int:
    """How many bytes of the body we have already: a server may ignore the range and send the whole.

    Something else than the medium, such as the page of a captive portal, is refused before its first byte: beside
    the true rest it would be noticed by the digest only, when all the rest has been brought.
    """
    skip = offset
    if response.status != 200:
        _check(response, 206)
        if not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            raise FetchError("the controller sends another part than asked for")
        skip = 0
    if response.content_length not in (None, skip + left) or response.content_type.startswith("text/"):
        raise FetchError("somebody sends something else than the medium")
    return skip


async def _read(response: ClientResponse, *, bytes_max: int) -> bytes:
    found = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        found += chunk
        if len(found) > bytes_max:
            raise FetchError(f"an answer of more than {bytes_max} bytes")
    return bytes(found)


def _name(error: Exception) -> str:
    return str(error) or type(error).__name__
