"""A web server over a dictionary, that can also misbehave."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

Answer = bytes | Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Web:
    files: Mapping[str, Answer]
    asked: list[str] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    url: str = ""


def drip_for_ever(handler: BaseHTTPRequestHandler) -> None:
    """One byte now and then."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b".")
        time.sleep(0.005)


@contextmanager
def serving(files: Mapping[str, Answer], *, tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    web = Web(files)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            web.asked.append(self.path)
            web.lines.add(self.client_address[1])
            answer = web.files.get(unquote(self.path.lstrip("/")), None)
            with suppress(OSError):
                if callable(answer):
                    answer(self)
                else:
                    self.give(answer)

        def give(self, data: bytes | None) -> None:
            body = b"no" if data is None else data
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that goes away is what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    web.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
