"""Routes of people: signing in, one's own account, and the accounts of one's units."""

from __future__ import annotations

from aiohttp import web

from controller.openapi import INTEGER, TEXT, ApiRoute, add_api, listing, record
from controller.people import sign_in

_ROLE = record(role=TEXT, scope=TEXT)


def setup(app: web.Application) -> None:
    """Adds the routes."""
    app.router.add_get("/login", sign_in.show_sign_in)
    app.router.add_post("/login", sign_in.sign_in)
    app.router.add_post("/sign-out", sign_in.sign_out)
    add_api(
        app,
        ApiRoute(
            "POST",
            "/session",
            sign_in.open_api_session,
            summary="Sign in: sets the session cookie, gives the token for X-CSRF-Token",
            request=record(login=TEXT, password=TEXT),
            response=record(csrf=TEXT, account=INTEGER, name=TEXT, roles=listing(_ROLE)),
            open=True,
        ),
        ApiRoute("DELETE", "/session", sign_in.close_api_session, summary="Sign out", status=204),
    )
