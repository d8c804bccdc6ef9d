"""The log for programs."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from controller.as_run.pages import read_asked
from controller.as_run.queries import Run, runs_within
from controller.devices.history import RefusalSeen, refusals_within
from controller.keys import ENGINE
from controller.openapi import INTEGER, TEXT, WALL_MS, ApiRoute, add_api, listing, nullable, record
from controller.store.engine import reading

_DAYS = {"unit": TEXT, "from": {"type": "string", "format": "date"}, "to": {"type": "string", "format": "date"}}
RUN = record(
    id=TEXT,
    device=TEXT,
    place=TEXT,
    rung=INTEGER,
    source=TEXT,
    began_ms=WALL_MS,
    ended_ms=WALL_MS,
    end_reason=TEXT,
    level_cdb=INTEGER,
    output_level_cdb=nullable(INTEGER),
    document=nullable(TEXT),
    item=nullable(TEXT),
    title=nullable(TEXT),
    start_ms=nullable(WALL_MS),
    lost_ms=INTEGER,
    stopped_by=nullable(TEXT),
)
REFUSAL = record(
    device=TEXT,
    place=TEXT,
    document=TEXT,
    kind=TEXT,
    refusal=TEXT,
    detail=nullable(TEXT),
    wall_ms=WALL_MS,
    scope=nullable(TEXT),
)


def add_log_api(app: web.Application) -> None:
    """Adds the routes."""
    add_api(
        app,
        ApiRoute(
            "GET",
            "/as-run",
            list_runs,
            summary="What sounded, newest first, 200 on a page",
            query={**_DAYS, "kind": TEXT, "page": INTEGER},
            response=listing(RUN),
        ),
        ApiRoute(
            "GET",
            "/refusals",
            list_refusals,
            summary="What devices refused, and why, newest first",
            query=_DAYS,
            response=listing(REFUSAL),
        ),
    )


async def list_runs(request: web.Request) -> web.Response:
    """Records of the as-run log."""
    async with reading(request.app[ENGINE]) as connection:
        runs = await runs_within(connection, read_asked(request).runs())
    return web.json_response([_run(one) for one in runs])


async def list_refusals(request: web.Request) -> web.Response:
    """Refusals of devices."""
    asked = read_asked(request)
    async with reading(request.app[ENGINE]) as connection:
        found = await refusals_within(connection, asked.scopes, since=asked.begin, until=asked.end)
    return web.json_response([_refusal(one) for one in found])


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "device": run.device,
        "place": run.place,
        "rung": run.rung,
        "source": run.source,
        "began_ms": run.began,
        "ended_ms": run.ended,
        "end_reason": run.end_reason,
        "level_cdb": run.level_cdb,
        "output_level_cdb": run.output_level_cdb,
        "document": run.document,
        "item": run.item,
        "title": run.title,
        "start_ms": run.start,
        "lost_ms": run.lost_ms,
        "stopped_by": run.stopped_by,
    }


def _refusal(one: RefusalSeen) -> dict[str, Any]:
    return {
        "device": one.device,
        "place": one.place,
        "document": one.document,
        "kind": one.kind,
        "refusal": one.refusal,
        "detail": one.detail,
        "wall_ms": one.wall,
        "scope": one.scope,
    }
