"""The calendar's feed and the preview of a draft, over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from controller.bulletins.acts import open_desk
from controller.bulletins.domain import State
from controller.bulletins.json_form import DRAFT_IN, PROBLEM, draft_text, problem_json
from controller.bulletins.request_body import json_body
from controller.keys import CLOCK, ENGINE
from controller.openapi import BOOLEAN, INTEGER, TEXT, WALL_MS, ApiRoute, add_api, listing, nullable, record
from controller.people.access import viewer_of
from controller.people.domain import Viewer
from controller.schedules.domain import Collision
from controller.schedules.foresight import Foresight, foresee
from controller.schedules.preview import PreviewedStart
from controller.schedules.queries import load_tree
from controller.schedules.week import Entry, entries_of
from controller.store.engine import reading
from controller.web.explained import N_, Explained
from protocol.clock import DAY_MS, WallMs
from protocol.units import UnitPath

SPAN_MS_MAX: Final = 45 * DAY_MS
_ENTRY: Final = record(
    id=TEXT,
    unit=TEXT,
    title=TEXT,
    start_ms=WALL_MS,
    end_ms=WALL_MS,
    **{"class": TEXT},
    standing={"type": "string", "enum": ["signed", "unsigned", "leaving"]},
    loudspeakers=INTEGER,
)
_COLLISION: Final = record(title=TEXT, unit=TEXT, start_ms=WALL_MS, end_ms=WALL_MS, outcome=TEXT)
_START: Final = record(start_ms=WALL_MS, end_ms=WALL_MS, collisions=listing(_COLLISION))
_PREVIEW: Final = record(
    problems=listing(PROBLEM),
    starts=listing(_START),
    beyond=INTEGER,
    loudspeakers=INTEGER,
    people=nullable(INTEGER),
    offered=BOOLEAN,
)


def add_routes(app: web.Application) -> None:
    """Adds and describes the routes."""
    span = {"from": WALL_MS, "to": WALL_MS, "unit": TEXT}
    add_api(
        app,
        ApiRoute(
            "GET",
            "/calendar",
            show_calendar,
            "What sounds when",
            query=span,
            response=record(entries=listing(_ENTRY)),
        ),
        ApiRoute("POST", "/preview", show_preview, "What a draft would do", request=DRAFT_IN, response=_PREVIEW),
    )


async def show_calendar(request: web.Request) -> web.Response:
    """Occurrences within the viewer's places, or within one unit of theirs."""
    viewer, now = viewer_of(request), request.app[CLOCK]()
    begin, end = span_of(request, now)
    async with reading(request.app[ENGINE]) as connection:
        tree = await load_tree(connection, now)
        places = places_of(request, viewer)
        found = await entries_of(connection, places, tree=tree, begin=begin, end=end, now=now)
    return web.json_response({"entries": [_entry_json(one) for one in found]})


def places_of(request: web.Request, viewer: Viewer) -> tuple[UnitPath, ...]:
    """The unit that was asked about, when the viewer sees it; else all of theirs."""
    wanted = UnitPath(request.query.get("unit", ""))
    return (wanted,) if wanted and viewer.sees(wanted) else viewer.scopes()


def span_of(request: web.Request, now: WallMs) -> tuple[WallMs, WallMs]:
    """The span that was asked for, eight days from now by default, 45 days at most."""
    begin = _wall(request.query.get("from"), now)
    end = _wall(request.query.get("to"), WallMs(begin + 8 * DAY_MS))
    if not begin < end <= begin + SPAN_MS_MAX:
        raise Explained(N_("Ask for at most 45 days at once."), status=400, code="wrong_span")
    return begin, end


def _wall(text: str | None, usual: WallMs) -> WallMs:
    return WallMs(int(text)) if text and text.isascii() and text.isdigit() and len(text) < 15 else usual


def _entry_json(entry: Entry) -> dict[str, Any]:
    airing = entry.occurrence.airing
    return {
        "id": airing.bulletin,
        "unit": airing.unit,
        "title": airing.title,
        "start_ms": entry.occurrence.start,
        "end_ms": entry.occurrence.end,
        "class": entry.kind,
        "standing": entry.standing,
        "loudspeakers": entry.loudspeakers,
    }


async def show_preview(request: web.Request) -> web.Response:
    """Starts, reach, collisions and problems of a draft that is not stored."""
    text = draft_text(await json_body(request))
    async with reading(request.app[ENGINE]) as connection:
        desk = await open_desk(connection, viewer_of(request), request.app[CLOCK]())
        seen = await foresee(desk, text, states=(State.SUBMITTED, State.APPROVED))
    return web.json_response(_preview_json(seen))


def _preview_json(seen: Foresight) -> Mapping[str, Any]:
    shown = seen.preview
    return {
        "problems": [problem_json(one) for one in seen.problems],
        "starts": [_start_json(one) for one in shown.starts] if shown else [],
        "beyond": shown.beyond if shown else 0,
        "loudspeakers": seen.reach.loudspeakers,
        "people": seen.reach.people,
        "offered": seen.offered,
    }


def _start_json(start: PreviewedStart) -> dict[str, Any]:
    return {
        "start_ms": start.start,
        "end_ms": start.end,
        "collisions": [_collision_json(one) for one in start.collisions],
    }


def _collision_json(collision: Collision) -> dict[str, Any]:
    other = collision.other
    return {
        "title": other.airing.title,
        "unit": other.airing.unit,
        "start_ms": other.start,
        "end_ms": other.end,
        "outcome": collision.outcome.value,
    }
