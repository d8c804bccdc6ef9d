"""Who asks, for every route: `viewer_of` for the person, `require` for a role at a place."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from controller.people.domain import Role, Viewer
from controller.web.explained import N_, Explained
from protocol.units import UnitPath


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser.

    Attributes:
        csrf: the token that every form of it carries.
    """

    id_hash: str
    csrf: str
    viewer: Viewer


VIEWER: web.RequestKey[Viewer] = web.RequestKey("viewer")
SESSION: web.RequestKey[Session] = web.RequestKey("session")


def viewer_of(request: web.Request) -> Viewer:
    """Whoever is signed in.

    Raises:
        Explained: nobody is.
    """
    if VIEWER not in request:
        raise Explained(N_("Please sign in to continue."), status=401, code="sign_in")
    return request[VIEWER]


def require(request: web.Request, role: Role, place: UnitPath) -> Viewer:
    """Whoever is signed in, when they hold the role at the place.

    Raises:
        Explained: they do not; the sentence says who can help.
    """
    viewer = viewer_of(request)
    if not viewer.may(role, place):
        raise Explained(
            N_("Your account may not do this for this unit. Ask the technician of your unit to give you the role."),
            status=403,
            code="not_allowed",
        )
    return viewer
