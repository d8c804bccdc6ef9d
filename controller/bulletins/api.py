"""Bulletins over REST: the same acts as on the pages, with problems as data."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from controller.bulletins.acts import ChangedError, Desk, ProblemsError
from controller.bulletins.domain import Bulletin, State
from controller.bulletins.draft import differences, text_of
from controller.bulletins.json_form import (
    BULLETIN,
    DRAFT_IN,
    bulletin_json,
    draft_text,
    problem_json,
    revision_of,
)
from controller.bulletins.queries import Filter, list_bulletins
from controller.bulletins.request_body import json_body
from controller.bulletins.request_desk import desk_of, do_act
from controller.bulletins.standings import counts_of
from controller.bulletins.wording import explain
from controller.keys import ENGINE
from controller.openapi import (
    BOOLEAN,
    INTEGER,
    TEXT,
    ApiRoute,
    add_api,
    listing,
    record,
)
from controller.people.access import viewer_of
from controller.store.engine import reading

LIMIT_MAX: Final = 200
_GO_ON = record(optional={"go_on": {**BOOLEAN, "description": "pass over collisions that were told"}})
_REASON = record(optional={"reason": TEXT})
EDIT_IN = {**DRAFT_IN, "properties": {**DRAFT_IN["properties"], "revision": INTEGER}}


def add_routes(app: web.Application) -> None:
    """Adds and describes the routes."""
    query = {"state": TEXT, "unit": TEXT, "words": TEXT, "limit": INTEGER, "offset": INTEGER}
    many = record(bulletins=listing(BULLETIN), total=INTEGER)
    one = "/bulletins/{bulletin}"
    counted = {**BULLETIN, "properties": {**BULLETIN["properties"], "standings": {"type": "object"}}}
    add_api(
        app,
        ApiRoute("GET", "/bulletins", list_all, "Bulletins, newest first", query=query, response=many),
        ApiRoute("POST", "/bulletins", create, "Writes a draft", request=DRAFT_IN, response=BULLETIN, status=201),
        ApiRoute("GET", one, show, "One bulletin, and how far it is on the loudspeakers", response=counted),
        ApiRoute("PUT", one, edit, "Edits a draft, or places an offer", request=EDIT_IN, response=BULLETIN),
        ApiRoute("POST", one + "/submit", submit, "Hands it to an approver", request=_GO_ON, response=BULLETIN),
        ApiRoute("POST", one + "/approve", approve, "Approves it", request=_GO_ON, response=BULLETIN),
        ApiRoute("POST", one + "/reject", reject, "Returns it to its author", request=_REASON, response=BULLETIN),
        ApiRoute("POST", one + "/withdraw", withdraw, "Takes it out", request=_REASON, response=BULLETIN),
        ApiRoute("POST", one + "/decline", decline, "Declines an offer", request=_REASON, response=BULLETIN),
    )


async def list_all(request: web.Request) -> web.Response:
    """Bulletins within the viewer's scopes."""
    viewer = viewer_of(request)
    wanted = Filter(
        states=_states(request.query.get("state", "")),
        unit=request.query.get("unit", ""),
        words=request.query.get("words", "")[:200],
        limit=min(_whole(request.query.get("limit"), 50), LIMIT_MAX),
        offset=_whole(request.query.get("offset"), 0),
    )
    async with reading(request.app[ENGINE]) as connection:
        found, total = await list_bulletins(connection, viewer.scopes(), wanted)
    body = {"bulletins": [bulletin_json(one, viewer) for one in found], "total": total}
    return web.json_response(body)


def _states(text: str) -> tuple[State, ...]:
    return tuple(State(one) for one in text.split(",") if one in set(State))


def _whole(text: str | None, usual: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else usual


async def show(request: web.Request) -> web.Response:
    """One bulletin with the counts of its standings."""
    async with desk_of(request, write=False) as desk:
        bulletin = await desk.find(request.match_info["bulletin"])
        counts = await counts_of(desk.connection, bulletin)
    return web.json_response(bulletin_json(bulletin, desk.viewer) | {"standings": counts})


async def create(request: web.Request) -> web.Response:
    """Writes a draft."""
    text = draft_text(await json_body(request))
    try:
        async with desk_of(request) as desk:
            name = await desk.create(text)
            made = await desk.find(name)
    except ProblemsError as error:
        return problems_response(error)
    return web.json_response(bulletin_json(made, viewer_of(request)), status=201)


async def edit(request: web.Request) -> web.Response:
    """Edits; a second editor is told what the first one changed."""
    body = await json_body(request)
    text, revision = draft_text(body), revision_of(body)
    name = request.match_info["bulletin"]
    try:
        async with desk_of(request) as desk:
            made = await desk.edit(name, text, revision=revision)
    except ProblemsError as error:
        return problems_response(error)
    except ChangedError as error:
        changed = [one.field for one in differences(text_of(error.stored), text)]
        return _changed_response(error, changed)
    return web.json_response(bulletin_json(made, viewer_of(request)))


async def submit(request: web.Request) -> web.Response:
    """Hands it to an approver."""
    go_on = (await json_body(request)).get("go_on") is True
    return await _act(request, lambda desk, name: desk.submit(name, go_on=go_on))


async def approve(request: web.Request) -> web.Response:
    """Approves; collisions were told when it was submitted."""
    go_on = (await json_body(request)).get("go_on", True) is not False
    return await _act(request, lambda desk, name: desk.approve(name, go_on=go_on))


async def reject(request: web.Request) -> web.Response:
    """Returns it to its author with a reason."""
    reason = str((await json_body(request)).get("reason", ""))
    return await _act(request, lambda desk, name: desk.reject(name, reason=reason))


async def withdraw(request: web.Request) -> web.Response:
    """Takes it out of the next schedule."""
    reason = str((await json_body(request)).get("reason", ""))
    return await _act(request, lambda desk, name: desk.withdraw(name, reason=reason))


async def decline(request: web.Request) -> web.Response:
    """The commune does not place an offer."""
    reason = str((await json_body(request)).get("reason", ""))
    return await _act(request, lambda desk, name: desk.decline(name, reason=reason))


async def _act(request: web.Request, act: Callable[[Desk, str], Awaitable[Bulletin]]) -> web.Response:
    try:
        made = await do_act(request, act)
    except ProblemsError as error:
        return problems_response(error)
    return web.json_response(bulletin_json(made, viewer_of(request)))


def problems_response(error: ProblemsError) -> web.Response:
    """422 with every problem; the first one's sentence stands for all. 409 when the user may go on."""
    problems = [problem_json(one) for one in error.problems]
    passable = all(one.passable for one in error.problems)
    failure = {"code": problems[0]["code"], "message": problems[0]["message"], "problems": problems}
    return web.json_response({"error": failure}, status=409 if passable else 422)


def _changed_response(error: ChangedError, fields: list[str]) -> web.Response:
    told = explain(error)
    failure = {"code": told.code, "message": told.told(), "revision": error.stored.revision, "differs": fields}
    return web.json_response({"error": failure}, status=409)
