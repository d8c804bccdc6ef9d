"""Routes of emergencies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from controller.alerts import pages
from controller.alerts.api import add_alert_api
from controller.alerts.events import follow_signatures
from controller.alerts.queries import active_alerts
from controller.alerts.view import target_names, view_alert
from controller.audit.wording import name_acts
from controller.keys import CLOCK, ENGINE, ENVELOPE_HOOKS
from controller.people.domain import Viewer
from controller.store.engine import reading
from controller.units.queries import names_of
from controller.web.home import HomePanel, add_panel
from controller.web.i18n import N_

_ACTS = {"alert.draft": N_("composed an emergency"), "alert.cancel": N_("cancelled an emergency")}


def setup(app: web.Application) -> None:
    """Adds pages, API, the home page's panel and the hook for signatures."""
    router = app.router
    router.add_get("/alerts", pages.show_alerts)
    router.add_get("/alerts/new", pages.show_composer)
    router.add_post("/alerts/new", pages.compose)
    router.add_get("/alerts/banner", pages.show_banner)
    router.add_get("/alerts/{alert}", pages.show_alert)
    router.add_get("/alerts/{alert}/progress", pages.show_progress)
    router.add_post("/alerts/{alert}/cancel", pages.cancel)
    router.add_post("/alerts/{alert}/renew", pages.renew)
    add_alert_api(app)
    add_panel(app, HomePanel(10, "alerts/panel.html", _panel))
    app.setdefault(ENVELOPE_HOOKS, []).append(follow_signatures(app))
    name_acts("alert.", N_("Emergency"), _ACTS)


async def _panel(request: web.Request, viewer: Viewer) -> Mapping[str, Any] | None:
    async with reading(request.app[ENGINE]) as connection:
        found = await active_alerts(connection, viewer.scopes(), now=request.app[CLOCK]())
        if not found:
            return None
        names = await names_of(connection, {place for one in found for place in one.alert.targets})
        views = [await view_alert(request, connection, one) for one in found]
    return {"views": views, "names": names, "target_names": target_names}
