"""Routes of people: signing in, one's own account, and the accounts of one's units."""

from __future__ import annotations

from aiohttp import web

from controller.openapi import INTEGER, TEXT, ApiRoute, add_api, listing, record
from controller.people import admin, own_account, sign_in
from controller.people.wording import role_duty, role_name
from controller.web.template import environment_of

_ROLE = record(role=TEXT, scope=TEXT)


def setup(app: web.Application) -> None:
    """Adds the routes."""
    app.router.add_get("/login", sign_in.show_sign_in)
    app.router.add_post("/login", sign_in.sign_in)
    app.router.add_post("/sign-out", sign_in.sign_out)
    app.router.add_get("/account", own_account.show_own_account)
    app.router.add_post("/account/name", own_account.change_name)
    app.router.add_post("/account/password", own_account.change_password)
    _add_admin(app)
    environment_of(app).filters.update({"role_name": role_name, "role_duty": role_duty})
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


def _add_admin(app: web.Application) -> None:
    app.router.add_get("/accounts", admin.show_accounts)
    app.router.add_post("/accounts", admin.create_account)
    app.router.add_get("/accounts/new", admin.show_new)
    app.router.add_get("/accounts/{account}", admin.show_account)
    app.router.add_post("/accounts/{account}/give", admin.give_role)
    app.router.add_post("/accounts/{account}/take", admin.take_role)
    app.router.add_post("/accounts/{account}/password", admin.renew_password)
    app.router.add_post("/accounts/{account}/close", admin.close_account)
    app.router.add_post("/accounts/{account}/open", admin.open_account)
