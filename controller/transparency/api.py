"""The log for programs. Open to everybody: a log that only its keeper can read proves nothing."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from controller.keys import ENGINE
from controller.openapi import INTEGER, TEXT, WALL_MS, ApiRoute, add_api, listing, nullable, record
from controller.people.access import viewer_of
from controller.store.engine import reading
from controller.transparency.keys import NOTARY
from controller.transparency.queries import entries_from, newest_state
from controller.transparency.sightings import Sighting, sightings_within
from controller.web.explained import N_, Explained
from protocol.hash_chain import LogEntry

ENTRIES_MAX: Final = 1000
ENTRY = record(index=INTEGER, digest=TEXT, kind=TEXT, scope=TEXT, stored=WALL_MS, previous=TEXT, hash=TEXT)
SIGHTING = record(
    device=TEXT,
    document=TEXT,
    kind=TEXT,
    place=TEXT,
    wall_ms=WALL_MS,
    seen_ms=WALL_MS,
    logged_ms=nullable(WALL_MS),
    closed_ms=nullable(WALL_MS),
)


def add_routes(app: web.Application) -> None:
    """Adds the routes."""
    add_api(
        app,
        ApiRoute(
            "GET",
            "/log",
            list_entries,
            summary="Entries of the transparency log by number, oldest first, 1000 at once",
            query={"from": INTEGER, "limit": INTEGER},
            response=record(size=INTEGER, entries=listing(ENTRY)),
            open=True,
        ),
        ApiRoute(
            "GET",
            "/log/checkpoint",
            show_checkpoint,
            summary="The last signed checkpoint, as a packed envelope; null before the first",
            response=record(size=INTEGER, checkpoint=nullable(TEXT)),
            open=True,
        ),
        ApiRoute(
            "GET",
            "/unlogged",
            list_unlogged,
            summary="Documents that devices obeyed without being in the log, open ones first",
            response=listing(SIGHTING),
        ),
    )


async def list_entries(request: web.Request) -> web.Response:
    """A range of the log."""
    first, limit = _number(request, "from", 0), _number(request, "limit", ENTRIES_MAX)
    async with reading(request.app[ENGINE]) as connection:
        try:
            entries = await entries_from(connection, first, limit=max(1, min(limit, ENTRIES_MAX)))
        except ValueError as error:
            text = N_("The log in the database is damaged here. The technician of the province must look at it.")
            raise Explained(text, status=500, code="log_damaged") from error
        size = (await newest_state(connection)).size
    return web.json_response({"size": size, "entries": [_entry(one) for one in entries]})


def _number(request: web.Request, name: str, usual: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else usual


def _entry(entry: LogEntry) -> dict[str, Any]:
    """The fields of a line of the exported log."""
    return {
        "index": entry.index,
        "digest": entry.digest,
        "kind": entry.kind,
        "scope": entry.scope,
        "stored": entry.stored,
        "previous": entry.previous,
        "hash": entry.hash,
    }


async def show_checkpoint(request: web.Request) -> web.Response:
    """The controller's last signed word on its log."""
    envelope = request.app[NOTARY].envelope
    async with reading(request.app[ENGINE]) as connection:
        size = (await newest_state(connection)).size
    return web.json_response({"size": size, "checkpoint": envelope.pack().decode() if envelope else None})


async def list_unlogged(request: web.Request) -> web.Response:
    """What was obeyed and never logged."""
    async with reading(request.app[ENGINE]) as connection:
        found = await sightings_within(connection, viewer_of(request).scopes())
    return web.json_response([_sighting(one) for one in found])


def _sighting(one: Sighting) -> dict[str, Any]:
    return {
        "device": one.device,
        "document": one.document,
        "kind": one.kind,
        "place": one.place,
        "wall_ms": one.wall,
        "seen_ms": one.seen,
        "logged_ms": one.logged,
        "closed_ms": one.closed,
    }
