"""The page that shows who did what."""

from __future__ import annotations

from aiohttp import web

from controller.audit.queries import PAGE_MAX, entries_within
from controller.audit.wording import AREAS, act_name
from controller.keys import ENGINE
from controller.people.access import viewer_of
from controller.store.engine import reading
from controller.units.queries import names_of
from controller.web.i18n import gettext
from controller.web.page import page
from controller.web.template import environment_of


def setup(app: web.Application) -> None:
    """Adds the page."""
    environment_of(app).filters["act_name"] = act_name
    app.router.add_get("/audit", show_audit)


async def show_audit(request: web.Request) -> web.Response:
    """A page of the log, newest first."""
    viewer = viewer_of(request)
    before, act = request.query.get("before", ""), request.query.get("act", "")
    act = act if act in AREAS else ""
    older = int(before) if before.isdecimal() and len(before) < 16 else None
    async with reading(request.app[ENGINE]) as connection:
        found = await entries_within(connection, viewer.scopes(), before=older, act=act)
        names = await names_of(connection, [entry.place for entry in found])
    areas = tuple((prefix, gettext(name)) for prefix, name in AREAS.items())
    more = found[-1].id if len(found) == PAGE_MAX else None
    values = {"entries": found, "names": names, "areas": areas, "act": act, "more": more}
    return page(request, "audit/audit.html", values)
