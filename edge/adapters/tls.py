"""TLS to the controller and the broker: our own CA and nothing else, the device's certificate, and no look at dates.

TLS carries; it does not authorise. So a device whose clock is dead connects all the same: the dates of certificates
are not checked on these connections, because nothing that is believed depends on them. For the same reason the name
is a fixed one and not the address: a controller that moves needs no new certificate. A device's certificate of the
same CA cannot stand in for the controller's, since it is made for clients only.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any, Final

SERVER_NAME: Final = "controller.loalang.internal"
_NO_CHECK_TIME: Final = 0x20_0000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME (since 1.1.0), which the ssl module has no name for."""


class TlsError(Exception):
    """Key, certificate or CA cannot be used; the message says what to do."""


class _ClosingSocket(ssl.SSLSocket):
    """paho forgets a socket whose handshake failed; it would stay open until it is collected."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


class PinnedContext(ssl.SSLContext):
    """Asks every server for the fixed name, whatever address led to it."""

    sslsocket_class = _ClosingSocket

    def wrap_socket(self, sock: socket.socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        """For paho. Small packets do not wait for each other's receipt, which is 40 ms at every connection."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return super().wrap_socket(sock, *args, **{**options, "server_hostname": SERVER_NAME})

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *args: Any, **options: Any) -> ssl.SSLObject:
        """For asyncio and whatever stands on it."""
        return super().wrap_bio(incoming, outgoing, *args, **{**options, "server_hostname": SERVER_NAME})


def client_context(ca: Path, *, certificate: Path, key: Path) -> ssl.SSLContext:
    """Mutual TLS for one device.

    Raises:
        TlsError: a file is missing, damaged, or the key is not the certificate's.
    """
    context = PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(ca)
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:
        words = f"the device's certificate cannot be used ({error}): {ca}, {certificate}, {key}. Enrol again."
        raise TlsError(words) from error
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context
