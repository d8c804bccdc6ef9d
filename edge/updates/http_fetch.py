"""Files by HTTP and HTTPS, bounded: one time limit for everything, no redirects, no proxies, no cookies.

A device whose clock is dead must still reach its own province: with a CA of its own the dates of certificates may go
unchecked (`own_ca`), because nothing that is believed depends on TLS.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient.fetcher import FetcherInterface

TOTAL_S: Final = 60.0
IDLE_S: Final = 10.0
_CHUNK_BYTES: Final = 64 * 1024
_ERROR_PAGE_BYTES_MAX: Final = 64 * 1024
_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL; Python has no name for it."""
_STRAY_PERCENT: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_HEADERS: Final = {"User-Agent": "loalang-updates", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust with https.

    Attributes:
        server_name: the name in the server's certificate, when it is not the address.
    """

    context: ssl.SSLContext
    server_name: str | None = None


def own_ca(
    ca: Path,
    *,
    client: Path | None = None,
    key: Path | None = None,
    server_name: str | None = None,
    any_date: bool = False,
) -> Tls:
    """Trusts one CA and no other.

    Args:
        client, key: our own certificate and its key; both may lie in one file.
        any_date: certificates count before they begin and after they end.
    """
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if client is not None:
        context.load_cert_chain(client, key)
    if any_date:
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | _NO_CHECK_TIME)
    return Tls(context, server_name)


class _TlsLine(http.client.HTTPSConnection):
    """Asks the server for a name that may be another than its address."""

    def __init__(self, host: str, port: int | None, *, timeout_s: float, tls: Tls) -> None:
        super().__init__(host, port, timeout=timeout_s, context=tls.context)
        self._tls = tls

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        name = self._tls.server_name or self.host
        self.sock = self._tls.context.wrap_socket(self.sock, server_hostname=name)


class HttpFetcher(FetcherInterface):
    """Implements python-tuf's one seam to the network, for one short-lived piece of work; close it afterwards.

    Args:
        total_s: the time for everything that is fetched, counted from now.
        idle_s: a line that brings nothing for this long has failed.
        tls: whom to trust with https; the system's authorities when None.
    """

    def __init__(self, *, total_s: float = TOTAL_S, idle_s: float = IDLE_S, tls: Tls | None = None) -> None:
        self._ends, self._idle_s, self._tls = monotonic() + total_s, idle_s, tls
        self._line: tuple[str, http.client.HTTPConnection] | None = None
        self._timer: threading.Timer | None = None

    def close(self) -> None:
        """Lets go of the connection."""
        if self._timer is not None:
            self._timer.cancel()
        if self._line is not None:
            self._line[1].close()
        self._line = self._timer = None

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            response = self._answer(urlsplit(encoded(url)))
            if response.status != http.HTTPStatus.OK:
                self._pass_over(response)
                # A redirect is an answer like any other that is not the file.
                raise DownloadHTTPError(f"{url} answers {response.status}", response.status)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failure(url, error) from error
        return self._chunks(url, response)

    def _answer(self, url: SplitResult) -> http.client.HTTPResponse:
        """Asks again once when a line that was kept open has meanwhile been closed."""
        kept = self._line is not None
        try:
            return self._ask(url)
        except (http.client.RemoteDisconnected, ConnectionError):
            self.close()
            if not kept:
                raise
            return self._ask(url)

    def _ask(self, url: SplitResult) -> http.client.HTTPResponse:
        line = self._connected(url)
        line.request("GET", url.path + (f"?{url.query}" if url.query else ""), headers=_HEADERS)
        return line.getresponse()

    def _connected(self, url: SplitResult) -> http.client.HTTPConnection:
        left_s = self._left_s()
        if self._line is not None and self._line[0] == f"{url.scheme}://{url.netloc}":
            return self._line[1]
        self.close()
        line = self._new_line(url, min(self._idle_s, left_s))
        line.connect()
        self._line = f"{url.scheme}://{url.netloc}", line
        # A server that sends one byte now and then never lets a read run into its own limit.
        self._timer = threading.Timer(self._left_s(), _cut, (line.sock,))
        self._timer.daemon = True
        self._timer.start()
        return line

    def _new_line(self, url: SplitResult, timeout_s: float) -> http.client.HTTPConnection:
        if url.username is not None or not url.hostname:
            raise ValueError("an address has a host and no password")
        if url.scheme == "http":
            return http.client.HTTPConnection(url.hostname, url.port, timeout=timeout_s)
        if url.scheme == "https":
            tls = self._tls or Tls(ssl.create_default_context())
            return _TlsLine(url.hostname, url.port, timeout_s=timeout_s, tls=tls)
        raise ValueError(f"not an address of a web server: {url.scheme[:20]}")

    def _left_s(self) -> float:
        left_s = self._ends - monotonic()
        if left_s <= 0:
            raise SlowRetrievalError("the time for everything is over")
        return left_s

    def _chunks(self, url: str, response: http.client.HTTPResponse) -> Iterator[bytes]:
        try:
            while chunk := response.read1(_CHUNK_BYTES):
                yield chunk
            self._left_s()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failure(url, error) from error
        finally:
            self._done_with(response)

    def _pass_over(self, response: http.client.HTTPResponse) -> None:
        """Reads the page of an error, so that the line can be used again; a long one is not worth it."""
        if (response.length or _ERROR_PAGE_BYTES_MAX) < _ERROR_PAGE_BYTES_MAX:
            response.read()
        self._done_with(response)

    def _done_with(self, response: http.client.HTTPResponse) -> None:
        """A line is used again only when all of the answer was read."""
        whole = response.isclosed() or response.length == 0
        response.close()
        if not whole or response.will_close:
            self.close()

    def _failure(self, url: str, error: Exception) -> DownloadError:
        self.close()
        if isinstance(error, TimeoutError) or self._ends <= monotonic():
            return SlowRetrievalError(f"{url} came too slowly")
        return DownloadError(f"{url} did not come: {str(error) or type(error).__name__}")


def _cut(line: socket.socket) -> None:
    try:
        # Past the TLS layer, whose own shutdown is not made for a second thread.
        socket.socket.shutdown(line, socket.SHUT_RDWR)
    except OSError:
        pass


def encoded(url: str) -> str:
    """The address as it is sent: a target's path may hold any character, and what is encoded already stays so."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    path = _STRAY_PERCENT.sub("%25", path)
    return scheme + mark + host + slash + quote(path, safe="/%!$&'()*+,;=:@~-._")
