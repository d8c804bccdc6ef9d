"""`GET /events`: what changes, live, as server-sent events limited to the viewer's units."""

from __future__ import annotations

import asyncio

from aiohttp import web

from controller.keys import CLOCK, CONFIG, EVENTS
from controller.people.access import viewer_of
from controller.people.queries import load_session
from controller.web.events import Subscription
from controller.web.guard import SESSION_COOKIE

KEEP_ALIVE_S = 15.0


async def stream_events(request: web.Request) -> web.StreamResponse:
    """Streams until the browser leaves, the session ends or the service stops."""
    viewer = viewer_of(request)
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    async with request.app[EVENTS].subscribe(viewer) as subscription:
        try:
            await response.prepare(request)
            await response.write(b"retry: 2000\n\n: hello\n\n")
            await _pump(request, response, subscription)
        except (ConnectionResetError, asyncio.CancelledError):
            pass
    return response


async def _pump(request: web.Request, response: web.StreamResponse, subscription: Subscription) -> None:
    clock = request.app[CLOCK]
    checked = clock()
    while (line := await subscription.next(within_s=KEEP_ALIVE_S)) is not None:
        await response.write(f"data: {line}\n\n".encode() if line else b": still here\n\n")
        if clock() - checked > request.app[CONFIG].session_check_ms:
            checked = clock()
            if await load_session(request.app, request.cookies.get(SESSION_COOKIE, ""), used=False) is None:
                return
