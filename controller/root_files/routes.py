"""One route: a file of the root, to whoever asks."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

from controller.keys import CONFIG
from controller.root_files.domain import find, is_lasting
from controller.root_files.published import FOLDER
from controller.web.explained import not_found
from controller.web.guard import public

_YEAR_S: Final = 365 * 86_400


def setup(app: web.Application) -> None:
    """Adds the route."""
    app.router.add_get("/root/{name:.+}", serve_file)


def folder_of(app: web.Application) -> Path:
    """Where the root's files are put."""
    return app[CONFIG].data / FOLDER


@public
async def serve_file(request: web.Request) -> web.StreamResponse:
    """The bytes as they are; they are signed, and nobody needs to be known to read them."""
    # The raw name: `%2F` within a role's name is part of the file's name.
    name = request.rel_url.raw_path.removeprefix("/root/")
    path = find(folder_of(request.app), name)
    if path is None:
        raise not_found()
    lasting = f"public, max-age={_YEAR_S}, immutable" if is_lasting(name) else "no-cache"
    kind = "application/json" if path.suffix == ".json" else "application/octet-stream"
    return web.FileResponse(path, headers={"Content-Type": kind, "Cache-Control": lasting})
