"""Signing in and out, for people and for programs."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from controller.audit.log import note
from controller.keys import CLOCK, CONFIG, ENGINE
from controller.people.access import SESSION, viewer_of
from controller.people.attempts import check_attempts, note_attempt
from controller.people.domain import Account
from controller.people.passwords import password_matches
from controller.people.queries import account_by_login, close_session, open_session
from controller.store.engine import reading, writing
from controller.web.explained import N_, Explained
from controller.web.guard import SESSION_COOKIE, public
from controller.web.held import local_path, parse_held, sign_in_page
from controller.web.page import page, see_other
from controller.web.strict_json import loads


@public
async def show_sign_in(request: web.Request) -> web.Response:
    """The form; someone signed in already goes home."""
    if SESSION in request:
        return see_other(local_path(request.query.get("onward", "/")))
    return sign_in_page(request, onward=local_path(request.query.get("onward", "/")), status=200)


@public
async def sign_in(request: web.Request) -> web.Response:
    """Checks login and password; then leads on, with a form that was kept to be sent again."""
    form = await request.post()
    login, onward = str(form.get("login", "")).strip(), local_path(str(form.get("onward", "/")))
    held = parse_held(str(form.get("held", "")))
    try:
        account = await _check(request, login, str(form.get("password", "")))
    except Explained as error:
        return sign_in_page(request, held=held, onward=onward, login=login, error=error.told(), status=error.status)
    token, csrf = await _open(request, account)
    if held is None:
        response = see_other(onward)
    else:
        values = {"held": held, "csrf": csrf, "viewer": account.viewer}
        response = page(request, "people/resend.html", values)
    return _with_cookie(request, response, token)


async def _check(request: web.Request, login: str, password: str) -> Account:
    """The account, when the password is right.

    Raises:
        Explained: wrong, closed or tried too often.
    """
    engine, at, address = request.app[ENGINE], request.app[CLOCK](), request.remote or ""
    login = login.lower()
    async with reading(engine) as connection:
        await check_attempts(connection, login, address=address, at=at)
        account = await account_by_login(connection, login)
    right = await password_matches(account.password_hash if account else None, password)
    good = account is not None and right and account.active
    async with writing(engine) as connection:
        await note_attempt(connection, login, address=address, at=at, ok=good)
    if account is None or not right:
        raise Explained(
            N_("The login or the password is not right. Check capital letters and the Vietnamese keyboard."),
            status=401,
            code="wrong_password",
        )
    if not account.active:
        raise Explained(N_("This account is closed. Ask your technician."), status=403, code="account_closed")
    return account


async def _open(request: web.Request, account: Account) -> tuple[str, str]:
    at, idle_ms = request.app[CLOCK](), request.app[CONFIG].session_idle_ms
    async with writing(request.app[ENGINE]) as connection:
        if SESSION in request:  # a new session for every sign-in: one that someone planted is worth nothing
            await close_session(connection, request[SESSION].id_hash)
        tokens = await open_session(connection, account.id, at=at, idle_ms=idle_ms)
        await note(
            connection, "people.sign_in", at=at, account=account.id, subject=account.viewer.home or "", detail=""
        )
    return tokens


def _with_cookie(request: web.Request, response: web.Response, token: str) -> web.Response:
    secure = request.app[CONFIG].origin.startswith("https:")
    response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="Lax", secure=secure, path="/")
    return response


async def sign_out(request: web.Request) -> web.Response:
    """Ends this browser's session."""
    async with writing(request.app[ENGINE]) as connection:
        await close_session(connection, request[SESSION].id_hash)
    response = see_other("/login")
    response.del_cookie(SESSION_COOKIE, path="/")
    return response


async def open_api_session(request: web.Request) -> web.Response:
    """`POST /api/v1/session`: the cookie, and the token for the header `X-CSRF-Token`."""
    body = await read_json(request)
    account = await _check(request, str(body.get("login", "")), str(body.get("password", "")))
    token, csrf = await _open(request, account)
    answer = {"csrf": csrf, "account": account.id, "name": account.name, "roles": _roles(account)}
    return _with_cookie(request, web.json_response(answer), token)


def _roles(account: Account) -> list[dict[str, str]]:
    return [{"role": held.role.value, "scope": held.scope} for held in account.roles]


async def close_api_session(request: web.Request) -> web.Response:
    """`DELETE /api/v1/session`."""
    viewer_of(request)
    async with writing(request.app[ENGINE]) as connection:
        await close_session(connection, request[SESSION].id_hash)
    return web.Response(status=204)


async def read_json(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request's body.

    Raises:
        Explained: it is none.
    """
    try:
        body = await request.json(loads=loads)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Explained(N_("The request's body must be one JSON object."), code="not_json")
    return body
