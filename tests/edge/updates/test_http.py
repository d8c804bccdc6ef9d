"""Files by HTTP: what a server may do, and what it may not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError, SlowRetrievalError

from edge.updates.http_fetch import HttpFetcher, encoded, own_ca
from tests.edge.updates.certificates import authority, certificate, server_side
from tests.edge.updates.web import drip_for_ever, serving

BYTES_MAX = 100_000


@contextmanager
def fetcher(**options: object) -> Iterator[HttpFetcher]:
    made = HttpFetcher(**options)  # type: ignore[arg-type]
    yield made
    made.close()


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b".")
        time.sleep(0.005)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"." * 65_536)


def elsewhere(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "/file")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def test_file_comes_over_one_line() -> None:
    with serving({"a": b"1", "b": b"2"}) as web, fetcher() as http:
        assert http.download_bytes(f"{web.url}/a", BYTES_MAX) == b"1"
        with pytest.raises(DownloadHTTPError) as caught:
            http.download_bytes(f"{web.url}/missing", BYTES_MAX)
        assert http.download_bytes(f"{web.url}/b", BYTES_MAX) == b"2"
    assert caught.value.status_code == 404
    assert len(web.lines) == 1


@pytest.mark.parametrize("answer", [drip_for_ever, drip_headers])
def test_slow_server_is_given_up(answer: object) -> None:
    with serving({"a": answer}) as web, fetcher(total_s=0.1) as http, pytest.raises(SlowRetrievalError):  # type: ignore[dict-item]
        http.download_bytes(f"{web.url}/a", BYTES_MAX)


def test_silent_server_is_given_up() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    with server, fetcher(idle_s=0.05) as http, pytest.raises(SlowRetrievalError):
        http.download_bytes(f"http://127.0.0.1:{server.getsockname()[1]}/a", BYTES_MAX)


def test_endless_file_ends_at_the_limit() -> None:
    with serving({"a": endless}) as web, fetcher() as http, pytest.raises(DownloadLengthMismatchError):
        http.download_bytes(f"{web.url}/a", BYTES_MAX)


def test_redirect_is_not_followed() -> None:
    served = serving({"a": elsewhere, "file": b"1"})
    with served as web, fetcher() as http, pytest.raises(DownloadHTTPError) as caught:
        http.download_bytes(f"{web.url}/a", BYTES_MAX)
    assert caught.value.status_code == 302
    assert web.asked == ["/a"]


def test_nobody_there_is_a_download_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with fetcher() as http, pytest.raises(DownloadError):
        http.download_bytes(f"http://127.0.0.1:{port}/a", BYTES_MAX)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/a", "http://user:word@127.0.0.1/a", "http:///a", "a"])
def test_other_addresses_are_refused(url: str) -> None:
    with fetcher() as http, pytest.raises(DownloadError):
        http.download_bytes(url, BYTES_MAX)


def test_addresses_are_encoded_once() -> None:
    assert encoded("http://h/m/1.%2Frole.json") == "http://h/m/1.%2Frole.json"
    assert encoded("http://h/t/a b/bản tin?#.txt") == "http://h/t/a%20b/b%E1%BA%A3n%20tin%3F%23.txt"
    assert encoded("http://h/t/100%.txt") == "http://h/t/100%25.txt"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A province's CA with certificates for this machine: of now, of years ago, and for a device."""
    folder = tmp_path_factory.mktemp("tls")
    ca = authority(folder / "ca.pem")
    certificate(ca, folder / "now.pem", days=(-1, 30))
    certificate(ca, folder / "old.pem", days=(-900, -800))
    certificate(ca, folder / "device.pem", days=(-900, -800))
    certificate(authority(folder / "other-ca.pem"), folder / "other.pem", days=(-1, 30))
    return folder


def ask(folder: Path, *, server: str, any_date: bool, client: bool = False) -> bytes:
    context = server_side(folder / server, clients_of=folder / "ca.pem" if client else None)
    ours = own_ca(folder / "ca.pem", client=folder / "device.pem" if client else None, any_date=any_date)
    with serving({"a": b"1"}, tls=context) as web, fetcher(tls=ours, total_s=5.0) as http:
        return http.download_bytes(f"{web.url}/a", BYTES_MAX)


def test_own_authority_is_enough(tls: Path) -> None:
    assert ask(tls, server="now.pem", any_date=False) == b"1"


def test_dead_clock_still_connects(tls: Path) -> None:
    assert ask(tls, server="old.pem", any_date=True) == b"1"


def test_dates_count_unless_told_otherwise(tls: Path) -> None:
    with pytest.raises(DownloadError, match="expired"):
        ask(tls, server="old.pem", any_date=False)


def test_foreign_authority_is_refused_at_any_date(tls: Path) -> None:
    with pytest.raises(DownloadError, match="CERTIFICATE_VERIFY_FAILED"):
        ask(tls, server="other.pem", any_date=True)


def test_device_shows_its_certificate(tls: Path) -> None:
    assert ask(tls, server="now.pem", any_date=True, client=True) == b"1"
