"""The places a page leads to, in the order of a commune officer's day. A place without a route is left out."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from controller.people.access import VIEWER
from controller.people.domain import Role, Viewer
from controller.web.i18n import N_, gettext

PROVINCE_DEPTH = 2
"""Segments of a province's path, such as `vn/92`."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation.

    Attributes:
        icon: name of a symbol in `static/icons.svg`.
        thumb: whether a phone shows it in the bar under the thumb.
        overseers: whether it is only in the way of those who do not look after a province or its devices.
    """

    path: str
    name: str
    icon: str
    thumb: bool = False
    overseers: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A place as one page shows it."""

    path: str
    name: str
    icon: str
    thumb: bool
    current: bool


PLACES = (
    Place("/", N_("Home"), "home", thumb=True),
    Place("/bulletins", N_("Bulletins"), "bulletin", thumb=True),
    Place("/schedule", N_("Schedule"), "calendar"),
    Place("/signing", N_("Signing"), "key"),
    Place("/alerts", N_("Emergency"), "alert", thumb=True),
    Place("/devices", N_("Devices"), "horn", thumb=True),
    Place("/log", N_("Log"), "log"),
    Place("/library", N_("Library"), "library"),
    Place("/units", N_("Units"), "units"),
    Place("/accounts", N_("Accounts"), "people"),
    Place("/authority", N_("Who may speak"), "hand", overseers=True),
    Place("/placements", N_("Places"), "place", overseers=True),
    Place("/audit", N_("Who did what"), "audit"),
    Place("/transparency", N_("Transparency log"), "check", overseers=True),
)


@dataclass(frozen=True, slots=True)
class Shortcut:
    """What someone with a role does most often: a large button of the home page."""

    path: str
    name: str
    icon: str
    role: Role
    style: str


_SHORTCUTS = (
    Shortcut("/bulletins/new", N_("Compose a bulletin"), "edit", Role.AUTHOR, "primary"),
    Shortcut("/alerts/new", N_("Send an emergency"), "alert", Role.OPERATOR, "alarm"),
    Shortcut("/devices/new", N_("Enrol a device"), "horn", Role.TECHNICIAN, ""),
)


def shortcuts(request: web.Request, viewer: Viewer) -> tuple[Shortcut, ...]:
    """The buttons of this person."""
    return tuple(one for one in _SHORTCUTS if viewer.holds(one.role) and serves(request, one.path))


def serves(request: web.Request, path: str) -> bool:
    """Whether the capability that has this page is there."""
    return any(resource.canonical == path for resource in request.app.router.resources())


def entries(request: web.Request) -> tuple[Entry, ...]:
    """The navigation of this page, in the reader's language."""
    there = {resource.canonical for resource in request.app.router.resources()}
    return tuple(
        Entry(place.path, gettext(place.name), place.icon, place.thumb, _current(place.path, request.path))
        for place in PLACES
        if place.path in there and not (place.overseers and not _oversees(request.get(VIEWER)))
    )


def _oversees(viewer: Viewer | None) -> bool:
    if viewer is None:
        return False
    looks_after = viewer.holds(Role.TECHNICIAN) or viewer.holds(Role.AUDITOR)
    return looks_after or any(len(scope.split("/")) <= PROVINCE_DEPTH for scope in viewer.scopes())


def _current(place: str, path: str) -> bool:
    return path == place or (place != "/" and path.startswith(place + "/"))
