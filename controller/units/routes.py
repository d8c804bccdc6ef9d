"""Pages and the programs' interface of the tree of units."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.audit.log import note
from controller.devices.words import count_within
from controller.keys import CLOCK, ENGINE
from controller.openapi import INTEGER, TEXT, ApiRoute, add_api, listing, nullable, record
from controller.people.access import require, viewer_of
from controller.people.domain import Role
from controller.store.engine import reading, writing
from controller.units.changes import add_unit, end_unit, merge_unit, move_unit
from controller.units.domain import Unit, grow
from controller.units.form import day_in, number_in, path_in, segment_in, text_in
from controller.units.queries import (
    children_of,
    search_units,
    set_people,
    today,
    trail_of,
    unit_at,
    units_within,
)
from controller.web.explained import not_found
from controller.web.i18n import gettext, ngettext
from controller.web.once import Done, once
from controller.web.page import Told, fragment, page
from protocol.units import UnitPath, unit_path

_PATH = "{path:[a-z0-9/-]+}"


def setup(app: web.Application) -> None:
    """Adds the routes."""
    app.router.add_get("/units", show_units)
    app.router.add_get(f"/units/of/{_PATH}", show_unit)
    app.router.add_post(f"/units/change/{_PATH}", change)
    app.router.add_post(f"/units/add/{_PATH}", add)
    app.router.add_post(f"/units/merge/{_PATH}", merge)
    app.router.add_post(f"/units/move/{_PATH}", move)
    app.router.add_post(f"/units/end/{_PATH}", end)
    row = record(path=TEXT, name=TEXT, label=TEXT, population=nullable(INTEGER), households=nullable(INTEGER))
    add_api(
        app,
        ApiRoute(
            "GET",
            "/units",
            list_units,
            summary="Units that one may see and that are there today, by path or by a search",
            response=record(units=listing(row)),
            query={"q": TEXT},
        ),
    )


async def show_units(request: web.Request) -> web.Response:
    """The tree of one's units, or what was searched for."""
    viewer, wanted = viewer_of(request), request.query.get("q", "").strip()[:80]
    day = today(request.app[CLOCK]())
    async with reading(request.app[ENGINE]) as connection:
        if wanted:
            values: dict[str, Any] = {
                "wanted": wanted,
                "found": await search_units(connection, wanted, scopes=viewer.scopes(), day=day),
            }
        else:
            every = await units_within(connection, viewer.scopes(), day=day)
            values = {"wanted": "", "branches": grow(every)}
    if request.headers.get("HX-Request"):
        return fragment(request, "units/found.html", values)
    return page(request, "units/units.html", values)


async def list_units(request: web.Request) -> web.Response:
    """`GET /api/v1/units`."""
    viewer, wanted, day = viewer_of(request), request.query.get("q", ""), today(request.app[CLOCK]())
    async with reading(request.app[ENGINE]) as connection:
        if wanted:
            found = await search_units(connection, wanted, scopes=viewer.scopes(), day=day)
        else:
            found = await units_within(connection, viewer.scopes(), day=day)
    return web.json_response({"units": [_row(unit) for unit in found]})


def _row(unit: Unit) -> dict[str, Any]:
    numbers = {"population": unit.population, "households": unit.households}
    return {"path": unit.path, "name": unit.name, "label": unit.label, **numbers}


def _path(request: web.Request) -> UnitPath:
    try:
        return unit_path(request.match_info["path"])
    except ValueError:
        raise not_found() from None


async def _seen(request: web.Request, connection: AsyncConnection) -> Unit:
    path = _path(request)
    unit = await unit_at(connection, path) if viewer_of(request).sees(path) else None
    if unit is None:
        raise not_found()
    return unit


async def show_unit(request: web.Request) -> web.Response:
    """One unit: what it is, what lies below, what became of it; and, for a technician, how to change it."""
    viewer, day = viewer_of(request), today(request.app[CLOCK]())
    async with reading(request.app[ENGINE]) as connection:
        unit = await _seen(request, connection)
        trail = await trail_of(connection, unit.path)
        below = await children_of(connection, unit.path, day=day)
        heir = await unit_at(connection, unit.merged_into) if unit.merged_into else None
        manages = viewer.may(Role.TECHNICIAN, unit.path)
        others = await units_within(connection, viewer.scopes(Role.TECHNICIAN), day=day) if manages else ()
        left_behind = 0 if unit.valid_on(day) else await count_within(connection, unit.path)
    choices = tuple(one for one in others if one.path != unit.path)
    values = {"unit": unit, "trail": trail, "below": below, "heir": heir, "manages": manages, "others": choices}
    return page(request, "units/unit.html", {**values, "day": day, "left_behind": left_behind})


Work = Callable[[AsyncConnection, Unit, Mapping[str, Any]], Awaitable[tuple[UnitPath, str]]]


async def _do(request: web.Request, act: str, work: Work) -> web.Response:
    """Runs a technician's change once, and notes it."""
    path, form = _path(request), await request.post()
    viewer = require(request, Role.TECHNICIAN, path)

    async def done() -> Done:
        async with writing(request.app[ENGINE]) as connection:
            unit = await _seen(request, connection)
            shown, told = await work(connection, unit, form)
            at = request.app[CLOCK]()
            await note(connection, act, at=at, account=viewer.account, subject=path, detail=f"{unit.name}: {shown}")
        return Done(f"/units/of/{shown}", Told(told))

    return await once(request, str(form.get("once", "")), done)


async def _waiting(connection: AsyncConnection, unit: Unit) -> str:
    """How many loudspeakers stay behind until somebody signs where they belong."""
    count = await count_within(connection, unit.path)
    if not count:
        return gettext("No loudspeaker has to be moved.")
    told = ngettext(
        "%(num)s loudspeaker keeps its place until its new one is signed: see “Loudspeakers and their places”.",
        "%(num)s loudspeakers keep their places until the new ones are signed: see “Loudspeakers and their places”.",
        count,
    )
    return told % {"num": count}


async def change(request: web.Request) -> web.Response:
    """Changes the name and the numbers."""

    async def work(connection: AsyncConnection, unit: Unit, form: Mapping[str, Any]) -> tuple[UnitPath, str]:
        people, households = number_in(form, "population"), number_in(form, "households")
        name = text_in(form, "name")
        await set_people(connection, unit.path, name=name, population=people, households=households)
        return unit.path, gettext("The unit was changed.")

    return await _do(request, "units.change", work)


async def add(request: web.Request) -> web.Response:
    """Adds a unit below."""

    async def work(connection: AsyncConnection, unit: Unit, form: Mapping[str, Any]) -> tuple[UnitPath, str]:
        path, day = segment_in(form, unit.path), day_in(form)
        name, label = text_in(form, "name"), text_in(form, "label")
        await add_unit(connection, Unit(path, name, label, population=None, households=None, valid_from=day))
        return path, gettext("The unit was added.")

    return await _do(request, "units.add", work)


async def merge(request: web.Request) -> web.Response:
    """Merges the unit into another one from a date."""

    async def work(connection: AsyncConnection, unit: Unit, form: Mapping[str, Any]) -> tuple[UnitPath, str]:
        into = path_in(form, "into")
        require(request, Role.TECHNICIAN, into)
        await merge_unit(connection, unit, into=into, day=day_in(form))
        return unit.path, f"{gettext('The merge is recorded.')} {await _waiting(connection, unit)}"

    return await _do(request, "units.merge", work)


async def move(request: web.Request) -> web.Response:
    """Moves the unit below another one from a date."""

    async def work(connection: AsyncConnection, unit: Unit, form: Mapping[str, Any]) -> tuple[UnitPath, str]:
        below = path_in(form, "below")
        require(request, Role.TECHNICIAN, below)
        fresh = await move_unit(connection, unit, below=below, day=day_in(form))
        return fresh, f"{gettext('The move is recorded.')} {await _waiting(connection, unit)}"

    return await _do(request, "units.move", work)


async def end(request: web.Request) -> web.Response:
    """Ends the unit on a date."""

    async def work(connection: AsyncConnection, unit: Unit, form: Mapping[str, Any]) -> tuple[UnitPath, str]:
        await end_unit(connection, unit, day=day_in(form))
        return unit.path, f"{gettext('The end of the unit is recorded.')} {await _waiting(connection, unit)}"

    return await _do(request, "units.end", work)
