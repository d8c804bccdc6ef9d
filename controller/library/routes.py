"""The library's pages, and the bytes of each media under its digest."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from multidict import CIMultiDict

from controller.audit.wording import name_acts
from controller.keys import CLOCK, CONFIG, ENGINE, MEDIA
from controller.library.api import MAKERS, add_routes, viewed_media
from controller.library.domain import Origin
from controller.library.queries import PAGE_SIZE, list_media
from controller.library.service import LIBRARY, Library
from controller.library.storage import DigestStorage
from controller.library.worker import Workers
from controller.people.access import viewer_of
from controller.store.engine import reading
from controller.units.queries import today, units_within
from controller.web.explained import N_, not_found
from controller.web.guard import public
from controller.web.page import fragment, page
from hardware.espeak import Espeak

_STATIC = Path(__file__).parent / "static"
_YEAR_S = 365 * 86_400


def setup(app: web.Application) -> None:
    """Adds the library."""
    storage = DigestStorage(app[CONFIG].data / "media")
    app[MEDIA] = storage
    app[LIBRARY] = Library(
        engine=app[ENGINE],
        storage=storage,
        workers=Workers(at_once=2 if (os.cpu_count() or 1) > 2 else 1),
        voice=Espeak(),
        clock=app[CLOCK],
    )
    app.cleanup_ctx.append(_open_and_close)
    app.router.add_static("/static/library/", _STATIC)
    app.router.add_get("/media/{digest:[0-9a-f]{64}}", serve_media)
    app.router.add_get("/library", show_library)
    app.router.add_get("/library/{digest:[0-9a-f]{64}}", show_one)
    add_routes(app)
    acts = {"library.upload": N_("added a recording"), "library.speak": N_("had a text spoken")}
    name_acts("library.", N_("Library"), acts)


async def _open_and_close(app: web.Application) -> AsyncIterator[None]:
    app[LIBRARY].storage.clean()
    yield
    await app[LIBRARY].close()


@public
async def serve_media(request: web.Request) -> web.StreamResponse:
    """The bytes, whole or in part. Who knows the digest knows the sound, so nobody is asked for more."""
    path = request.app[MEDIA].path(request.match_info["digest"])
    if not path.is_file():
        raise not_found()
    headers = {"Content-Type": "audio/ogg", "Cache-Control": f"public, max-age={_YEAR_S}, immutable"}
    response = web.FileResponse(path, headers=headers)
    stale = request.headers.get("If-Range", "").startswith(('"', "W/")) and not _same_tag(request, path)
    if stale:  # the standard's answer to a part of something else is the whole
        without = CIMultiDict((name, value) for name, value in request.headers.items() if name.lower() != "range")
        await response.prepare(request.clone(headers=without))
        return response
    return response


def _same_tag(request: web.Request, path: Path) -> bool:
    status = path.stat()
    return request.headers["If-Range"] == f'"{status.st_mtime_ns:x}-{status.st_size:x}"'


async def show_library(request: web.Request) -> web.Response:
    """Lists sound; htmx asks for the list alone while somebody types in the search."""
    viewer, query = viewer_of(request), request.query
    search = query.get("search", "").strip()[:200]
    origin = query.get("origin", "")
    before = query.get("before", "")
    async with reading(request.app[ENGINE]) as connection:
        found = await list_media(
            connection,
            scopes=viewer.scopes(),
            search=search,
            origin=Origin(origin) if origin in list(Origin) else None,
            before_ms=int(before) if before.isdecimal() else None,
        )
        own = sorted({scope for role in MAKERS for scope in viewer.scopes(role)})
        units = await units_within(connection, own, day=today(request.app[CLOCK]())) if own else ()
    values = {
        "found": found,
        "search": search,
        "chosen_origin": origin,
        "units": units,
        "more": len(found) == PAGE_SIZE,
    }
    if request.headers.get("HX-Request"):
        return fragment(request, "library/_list.html", values)
    return page(request, "library/library.html", values)


async def show_one(request: web.Request) -> web.Response:
    """One sound to listen to, with everything known of it."""
    return page(request, "library/media.html", {"media": await viewed_media(request)})
