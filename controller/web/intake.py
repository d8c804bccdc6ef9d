"""What a request must be before anything is made of it: text in UTF-8, not packed, addressed to a name.

Browsers and our own programs send nothing else. What a stranger sends otherwise would reach places that expect text:
databases, hashes, address readers. A packed body would be unpacked before its size is known.
"""

from __future__ import annotations

import traceback
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

_READERS: Final = frozenset({"aiohttp", "multidict", "yarl", "urllib", "http", "encodings", "codecs"})


@web.middleware
async def check_shape(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what is out of shape, before anybody looks for a session."""
    if not _is_text(request):
        raise web.HTTPBadRequest
    if request.headers.get("Content-Encoding", "identity") != "identity" or not _is_utf8(request):
        raise web.HTTPUnsupportedMediaType
    return await handler(request)


def _is_text(request: web.Request) -> bool:
    """Whether names and addresses are whole letters: bytes that are none arrive as halves of letters."""
    try:
        "".join((request.path_qs, request.path, *request.headers.values(), *request.query.values())).encode()
        urlsplit(f"//{request.host}")
        urlsplit(request.headers.get("Origin", ""))
    except ValueError:
        return False
    return True


def _is_utf8(request: web.Request) -> bool:
    return (request.charset or "utf-8").lower() in ("utf-8", "utf8", "us-ascii")


def is_unreadable(error: Exception) -> bool:
    """Whether an error arose where a request is taken apart: such as a form without its boundary."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and str(frames[-1].f_globals.get("__name__", "")).partition(".")[0] in _READERS
