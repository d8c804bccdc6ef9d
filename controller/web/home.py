"""The home page: what is on, what is wrong, what waits for me. Capabilities bring their own panels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from controller.people.access import viewer_of
from controller.people.domain import Viewer
from controller.web.navigation import shortcuts
from controller.web.page import page

Load = Callable[[web.Request, Viewer], Awaitable[Mapping[str, Any] | None]]


@dataclass(frozen=True, slots=True)
class HomePanel:
    """A part of the home page.

    Attributes:
        order: smaller is higher: 10 emergency, 20 waits for me, 30 on now and next, 40 faults, 50 the rest.
        template: rendered with what `load` gives as `panel`.
        load: gives the panel's values, or None when there is nothing to show.
    """

    order: int
    template: str
    load: Load


_PANELS: web.AppKey[list[HomePanel]] = web.AppKey("home_panels")


def set_up_home(app: web.Application) -> None:
    """Makes room for panels and serves the page."""
    app[_PANELS] = []
    app.router.add_get("/", show_home)


def add_panel(app: web.Application, panel: HomePanel) -> None:
    """Adds a panel; called by a capability's `setup`."""
    app[_PANELS].append(panel)


async def show_home(request: web.Request) -> web.Response:
    """Collects the panels that have something to say."""
    viewer = viewer_of(request)
    panels = []
    wanted: list[HomePanel] = request.app[_PANELS]
    for panel in sorted(wanted, key=lambda one: one.order):
        values = await panel.load(request, viewer)
        if values is not None:
            panels.append((panel.template, values))
    return page(request, "web/home.html", {"panels": panels, "shortcuts": shortcuts(request, viewer)})
