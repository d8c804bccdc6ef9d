"""The week as a calendar, the next 24 hours as a plain list, and the order of priority bulletins that collide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.audit.log import note
from controller.keys import CLOCK, ENGINE
from controller.people.access import require, viewer_of
from controller.people.domain import Role, Viewer
from controller.schedules.api import places_of
from controller.schedules.domain import RUNG_PRIORITY, Airing
from controller.schedules.queries import Tree, load_tree, planned_around, precedence_around
from controller.schedules.week import Entry, entries_of
from controller.store.engine import reading, writing
from controller.store.schema import precedences
from controller.web.explained import N_, Explained
from controller.web.home import HomePanel, add_panel
from controller.web.i18n import gettext
from controller.web.once import Done, once
from controller.web.page import Told, fragment, page
from protocol.clock import DAY_MS, WallMs
from protocol.limits import ITEMS_MAX
from protocol.units import UnitPath, covers

HOME_MS: Final = 12 * 3_600_000
HOME_ROWS: Final = 6


def add_routes(app: web.Application) -> None:
    """Adds the pages."""
    app.router.add_get("/schedule", show_week)
    app.router.add_get("/schedule/next", show_next)
    app.router.add_get("/schedule/precedence", show_precedence)
    app.router.add_post("/schedule/precedence", change_precedence)
    add_panel(app, HomePanel(30, "schedules/_home.html", load_home))


async def show_week(request: web.Request) -> web.Response:
    """The calendar, and below it the next 24 hours as a list."""
    viewer = viewer_of(request)
    async with reading(request.app[ENGINE]) as connection:
        tree = await load_tree(connection, request.app[CLOCK]())
    values = {
        "units": [
            (path, name) for path, name in tree.names.items() if viewer.sees(path) and path not in tree.devices
        ],
        "unit": request.query.get("unit", ""),
        **await _next_values(request, DAY_MS),
    }
    return page(request, "schedules/week.html", values)


async def show_next(request: web.Request) -> web.Response:
    """The list alone, for live updates."""
    return fragment(request, "schedules/_next.html", await _next_values(request, DAY_MS))


async def _next_values(request: web.Request, span_ms: int) -> dict[str, Any]:
    viewer, now = viewer_of(request), request.app[CLOCK]()
    async with reading(request.app[ENGINE]) as connection:
        tree = await load_tree(connection, now)
        places = places_of(request, viewer)
        found = await entries_of(connection, places, tree=tree, begin=now, end=WallMs(now + span_ms), now=now)
    return {"rows": [_row(one, tree, now) for one in found], "now": now}


def _row(entry: Entry, tree: Tree, now: WallMs) -> dict[str, Any]:
    return {
        "entry": entry,
        "airing": entry.occurrence.airing,
        "unit": tree.name(entry.occurrence.airing.unit),
        "running": entry.occurrence.start <= now < entry.occurrence.end,
    }


async def load_home(request: web.Request, viewer: Viewer) -> Mapping[str, Any] | None:
    """What sounds now and next."""
    rows = (await _next_values(request, HOME_MS))["rows"]
    return {"rows": rows[:HOME_ROWS], "more": max(0, len(rows) - HOME_ROWS)} if rows else None


async def show_precedence(request: web.Request) -> web.Response:
    """The commune's order of priority bulletins, its own and those from above."""
    unit = _unit(request, request.query.get("unit", ""))
    async with reading(request.app[ENGINE]) as connection:
        tree = await load_tree(connection, request.app[CLOCK]())
        ordered = await _ordered(request, connection, unit)
    viewer = viewer_of(request)
    values = {
        "unit": unit,
        "unit_name": tree.name(unit),
        "rows": [{"airing": one, "unit": tree.name(one.unit), "own": one.unit == unit} for one in ordered],
        "units": [(path, name) for path, name in tree.names.items() if viewer.may(Role.OPERATOR, path)],
    }
    return page(request, "schedules/precedence.html", values)


def _unit(request: web.Request, given: str) -> UnitPath:
    scopes = viewer_of(request).scopes(Role.OPERATOR)
    if not given and not scopes:
        text = N_("Only operators order priority bulletins. Ask the technician of your unit to give you the role.")
        raise Explained(text, status=403, code="not_allowed")
    unit = UnitPath(given) if given else scopes[0]
    require(request, Role.OPERATOR, unit)
    return unit


async def _ordered(request: web.Request, connection: AsyncConnection, unit: UnitPath) -> list[Airing]:
    """Those the unit has named, in its order; then what is not named, from above first."""
    now = request.app[CLOCK]()
    planned = await planned_around(connection, [unit], now=now, tree=await load_tree(connection, now))
    wanted = [
        one.airing
        for one in planned
        if one.airing.rung == RUNG_PRIORITY and not one.withdrawn and covers(one.airing.unit, unit)
    ]
    said = (await precedence_around(connection, [unit])).get(unit, ())
    place = {name: position for position, name in enumerate(said)}
    return sorted(wanted, key=lambda one: (place.get(one.name, len(said)), one.unit, one.name))


async def change_precedence(request: web.Request) -> web.StreamResponse:
    """Stores a new order; it counts once it is signed."""
    form = await request.post()
    unit = _unit(request, str(form.get("unit", "")))
    viewer = require(request, Role.OPERATOR, unit)
    moved, step = str(form.get("name", "")), -1 if form.get("move") == "up" else 1

    async def work() -> Done:
        async with writing(request.app[ENGINE]) as connection:
            names = [one.name for one in await _ordered(request, connection, unit)][:ITEMS_MAX]
            await _store(connection, unit, _moved(names, moved, step), viewer, request.app[CLOCK]())
        text = gettext("The new order is stored. It counts as soon as the schedule is signed.")
        return Done(f"/schedule/precedence?unit={unit}", Told(text))

    return await once(request, str(form.get("once", "")), work)


def _moved(names: list[str], name: str, step: int) -> list[str]:
    if name in names:
        at = names.index(name)
        to = min(max(at + step, 0), len(names) - 1)
        names.insert(to, names.pop(at))
    return names


async def _store(connection: AsyncConnection, unit: UnitPath, names: list[str], viewer: Viewer, now: WallMs) -> None:
    await connection.execute(delete(precedences).where(precedences.c.unit == unit))
    values = {"unit": unit, "names_json": json.dumps(names), "changed_ms": now, "changed_by": viewer.account}
    await connection.execute(insert(precedences).values(**values))
    await note(connection, "signing.order", at=now, account=viewer.account, subject=unit)
