"""`/.well-known/security.txt` (RFC 9116): where a stranger reports a fault here, if the province says where."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from controller.keys import CLOCK, CONFIG
from controller.web.guard import public

PATH: Final = "/.well-known/security.txt"
_LIFE: Final = timedelta(days=180)


def check_contact(text: str) -> str:
    """A contact as the standard wants it: `mailto:`, `tel:` or `https:`; raises ValueError."""
    if not text.startswith(("mailto:", "tel:", "https://")) or not text.isascii() or not text.isprintable():
        raise ValueError("a security contact begins with mailto:, tel: or https://")
    return text


@public
async def security_txt(request: web.Request) -> web.Response:
    """The file, dated half a year ahead at each request: as long as we answer, it holds."""
    config = request.app[CONFIG]
    if config.security_contact is None:
        raise web.HTTPNotFound
    until = datetime.fromtimestamp(request.app[CLOCK]() / 1000, UTC) + _LIFE
    lines = (
        f"Contact: {config.security_contact}",
        f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: vi, en",
        f"Canonical: {config.origin}{PATH}",
    )
    return web.Response(text="\n".join(lines) + "\n")
