"""A captive portal: whatever is asked of it, on whatever port and in whatever language, it answers with its own page.

One port does it all, since a portal takes every connection there is: HTTP gets a page or a redirection, TLS a
certificate that nobody of ours signed, and MQTT an HTTP answer.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_HANDSHAKE: Final = 0x16
"""The first byte of a TLS record that begins a connection (RFC 8446, section 5.1)."""
_PIECE_BYTES: Final = 4096
_ASKED_BYTES_MAX: Final = 200
_ASKED_MAX: Final = 1000
_PAGE: Final = b"<!doctype html><title>Wi-Fi</title><h1>Please pay to go on</h1>"


class Manner(Enum):
    """How it shows its page."""

    PAGE = "200"
    REDIRECT = "302"


class CaptivePortal:
    """Listens on 127.0.0.1 within `async with`.

    Args:
        directory: for its key and certificate.
        address: where to listen.

    Attributes:
        manner: may be changed at any time.
        asked: the beginning of what it was told in the clear, or inside TLS that somebody accepted.
        handshakes: how many connections began with TLS.
    """

    def __init__(self, directory: Path, *, address: str = "127.0.0.1", port: int = 0) -> None:
        self.manner = Manner.PAGE
        self.asked: list[bytes] = []
        self.handshakes = 0
        self.port = port
        self._directory, self._address = directory, address
        self._servers: list[asyncio.Server] = []
        self._inside = {True: 0, False: 0}
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> CaptivePortal:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*await asyncio.to_thread(_foreign_certificate, self._directory))
        for tls in (True, False):
            inside = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=context if tls else None)
            self._servers.append(inside)
            self._inside[tls] = inside.sockets[0].getsockname()[1]
        door = await asyncio.start_server(self._accept, self._address, self.port)
        self._servers.append(door)
        self.port = door.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._lead_on(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _lead_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """To the inner server that speaks as the first byte does."""
        far_writer = None
        try:
            with suppress(OSError):
                first = await reader.read(_PIECE_BYTES)
                tls = first[:1] == bytes([_HANDSHAKE])
                self.handshakes += tls
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._inside[tls])
                far_writer.write(first)
                await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            for one in (writer, far_writer):
                if one is not None:
                    one.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            told = await reader.read(_PIECE_BYTES)
            if told and len(self.asked) < _ASKED_MAX:
                self.asked.append(told[:_ASKED_BYTES_MAX])
            writer.write(self._page())
            await writer.drain()
        writer.close()

    def _page(self) -> bytes:
        head = [b"HTTP/1.1 200 OK"]
        if self.manner is Manner.REDIRECT:
            head = [b"HTTP/1.1 302 Found", b"Location: http://127.0.0.1:%d/login" % self.port]
            head += [b"Content-Length: %d" % len(_PAGE)]
        head += [b"Content-Type: text/html", b"Connection: close"]
        return b"\r\n".join([*head, b"", _PAGE])


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_PIECE_BYTES):
        writer.write(data)
        await writer.drain()
    with suppress(OSError):
        writer.write_eof()


def _foreign_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate that names nobody we know, signed by itself; gives its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "portal.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime.now(UTC) + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    certificate, private = directory / "portal.pem", directory / "portal-key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption_algorithm=plain)
    )
    return certificate, private
