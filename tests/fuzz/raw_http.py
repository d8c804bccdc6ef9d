"""Requests that no library would send, and the status of what comes back."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Sequence
from random import Random
from typing import Final

from tests.fuzz.mutation import FOREIGN, ODD_TEXTS, mutated

Header = tuple[bytes, bytes]
_WAIT_S: Final = 10.0
CHARSETS: Final = (b"utf-8", b"utf-7", b"utf-16", b"nonsense", b"idna", b"unicode_escape", b"\xff", b"zlib", b"rot13")
TYPES: Final = (
    b"application/json",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data",
    b'multipart/form-data; boundary="x"',
    b"text/plain",
)
_BITS: Final = (b"%00", b"%ED%A0%80", b"%FF", b"..%2f", b"%2e/", b"?a=%FF", b"?lang=%00", b"//", b"%25", b"\xc3")
_ODD: Final = tuple(one.encode("utf-8", "surrogatepass").replace(b"\n", b"").replace(b"\0", b"") for one in ODD_TEXTS)


def request(method: bytes, path: bytes, headers: Sequence[Header], body: bytes = b"") -> bytes:
    """The bytes of a request."""
    lines = [b"%s %s HTTP/1.1" % (method, path), *(b"%s: %s" % one for one in headers)]
    lines += [b"Content-Length: %d" % len(body), b"Connection: close", b"", b""]
    return b"\r\n".join(lines) + body


async def status_of(port: int, data: bytes) -> int:
    """The answer's status; 0 when the connection was ended without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(_WAIT_S):
            line = await reader.readline()
    except ConnectionError:
        return 0
    finally:
        writer.close()
    words = line.split()
    return int(words[1]) if len(words) > 1 else 0


def odd_request(random: Random, *, host: bytes, paths: Sequence[bytes], bodies: Sequence[bytes]) -> bytes:
    """A request with something odd in one or two of its places."""
    headers = [(b"Host", host if random.random() < 0.9 else random.choice((b"[", b"\xff", b"a:b:c", *_ODD[:8])))]
    content_type = random.choice(TYPES)
    if random.random() < 0.3:
        content_type += b"; charset=" + random.choice(CHARSETS)
    headers.append((b"Content-Type", content_type))
    names = (b"Cookie", b"Authorization", b"Origin", b"X-CSRF-Token", b"Range", b"Accept-Language", b"If-None-Match")
    for name in random.sample(names, random.randint(0, 3)):
        headers.append((name, _value(random, name)))
    body = mutated(random.choice(bodies), random)[:60_000]
    if random.random() < 0.15:
        kind, pack = random.choice(((b"gzip", gzip.compress), (b"deflate", zlib.compress), (b"br", bytes)))
        headers.append((b"Content-Encoding", kind))
        body = pack(body) if random.random() < 0.7 else body
    method = random.choice((b"GET", b"POST", b"POST", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS"))
    return request(method, _path(random, paths), headers, body)


def _value(random: Random, name: bytes) -> bytes:
    odd = random.choice((*_ODD, b"\xff\xfe", b"[" * 3000, *(one[:60].replace(b"\n", b"") for one in FOREIGN)))
    if name == b"Cookie":
        which = random.choice((b"loalang_session", b"loalang_told", b"loalang_language", b"signer_lang"))
        return which + b"=" + random.choice((odd, b"NQ==", b"W1tbW1s=", b"bnVsbA=="))
    if name == b"Authorization":
        return random.choice((b"Bearer ", b"Basic ", b"")) + odd
    return random.choice((odd, b"http://[", b"bytes=9-1", b"bytes=-", b"null"))


def _path(random: Random, paths: Sequence[bytes]) -> bytes:
    path = random.choice(paths)
    if random.random() < 0.4:
        path += random.choice(_BITS)
    return path
