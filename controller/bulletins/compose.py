"""Writing a bulletin: the form, its live preview, and what happens when it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from controller.bulletins.acts import ChangedError, Desk, ProblemsError
from controller.bulletins.domain import Act, Bulletin, State, allowed
from controller.bulletins.draft import DraftText, differences, text_of
from controller.bulletins.form import (
    ShownDifference,
    by_field,
    minutes_of,
    shown,
    shown_differences,
    targets_tree,
    text_of_form,
)
from controller.bulletins.problem import Code, Problem
from controller.bulletins.request_desk import desk_of
from controller.bulletins.wording import explain
from controller.keys import CLOCK, EVENTS
from controller.library.queries import find_media
from controller.people.domain import Role
from controller.schedules.foresight import foresee
from controller.signing.queries import config_in_force
from controller.units.queries import today, units_within
from controller.web.explained import N_, Explained
from controller.web.i18n import gettext
from controller.web.once import Done, once
from controller.web.page import Told, fragment, page
from protocol.clock import DAY_MS, WallMs, local_datetime
from protocol.units import UnitPath

_MISSING: Final = frozenset({Code.CONTENT_MISSING, Code.TARGETS_MISSING, Code.TIME_MISSING, Code.TITLE_MISSING})


def add_routes(app: web.Application) -> None:
    """Adds the pages for writing."""
    app.router.add_get("/bulletins/new", show_new)
    app.router.add_post("/bulletins/new", create)
    app.router.add_post("/bulletins/preview", show_preview)
    app.router.add_get("/bulletins/for-unit", show_for_unit)
    app.router.add_get("/bulletins/{bulletin}/edit", show_edit)
    app.router.add_post("/bulletins/{bulletin}/edit", edit)


async def show_new(request: web.Request) -> web.Response:
    """An empty form, or one filled from another bulletin."""
    async with desk_of(request, write=False) as desk:
        if not desk.viewer.scopes(Role.AUTHOR):
            text = N_("Only authors write bulletins. Ask the technician of your unit to give you the role.")
            raise Explained(text, status=403, code="not_allowed")
        text_ = await _first_text(desk, request.query.get("copy", ""), request.query.get("media", ""))
        return await _form_page(request, desk, text_)


async def _first_text(desk: Desk, copy: str, media: str) -> DraftText:
    if copy:
        model = await desk.find(copy)
        text = text_of(model)
        mine = allowed(model.unit, Act.EDIT, desk.viewer)
        return text if mine else replace(text, unit=desk.viewer.scopes(Role.AUTHOR)[0], targets=())
    unit = desk.viewer.scopes(Role.AUTHOR)[0]
    usual = "ordinary" if desk.tree.is_home(unit) else "priority"
    return DraftText(unit=unit, targets=(unit,), bulletin_class=usual, media_digest=media)


async def create(request: web.Request) -> web.StreamResponse:
    """Stores a draft, and submits it when that button was pressed."""
    form = await request.post()
    text = text_of_form(form)

    async def work() -> Done:
        async with desk_of(request) as desk:
            name = await desk.create(text)
            told = await _perhaps_submit(desk, name, form)
        _tell_pages(request, text.unit, name)
        return Done(f"/bulletins/{name}", told)

    try:
        return await once(request, str(form.get("once", "")), work)
    except ProblemsError as error:
        async with desk_of(request, write=False) as desk:
            return await _form_page(request, desk, text, problems=error.problems)


async def _perhaps_submit(desk: Desk, name: str, form: Any) -> Told:
    if form.get("act") != "submit":
        return Told(gettext("The draft is stored. Nobody hears it until it is submitted, approved and signed."))
    await desk.submit(name, go_on=form.get("go_on") == "1")
    return Told(gettext("The bulletin was submitted. An approver sees it now."))


def _tell_pages(request: web.Request, unit: str, name: str) -> None:
    request.app[EVENTS].publish("schedule", UnitPath(unit), bulletin=name)


async def show_edit(request: web.Request) -> web.Response:
    """The form of a stored draft, or of an offer that is to be placed."""
    async with desk_of(request, write=False) as desk:
        bulletin = await desk.find(request.match_info["bulletin"])
        _check_editable(desk, bulletin)
        return await _form_page(request, desk, text_of(bulletin), bulletin=bulletin)


def _check_editable(desk: Desk, bulletin: Bulletin) -> None:
    if bulletin.state in (State.APPROVED, State.IN_FORCE, State.ENDED, State.WITHDRAWN):
        text = N_("This bulletin is no longer a draft. Make a copy of it and change the copy.")
        raise Explained(text, status=409, code="wrong_state", back=f"/bulletins/{bulletin.id}")
    if not allowed(bulletin.unit, Act.EDIT, desk.viewer):
        raise Explained(N_("You may not edit bulletins of this unit."), status=403, code="not_allowed")


async def edit(request: web.Request) -> web.StreamResponse:
    """Stores an edit; the second of two editors is shown what the first one changed."""
    form, name = await request.post(), request.match_info["bulletin"]
    text, revision = text_of_form(form), _revision(str(form.get("revision", "")))

    async def work() -> Done:
        async with desk_of(request) as desk:
            made = await desk.edit(name, text, revision=revision)
            told = await _perhaps_submit(desk, name, form)
        _tell_pages(request, made.unit, name)
        return Done(f"/bulletins/{name}", told)

    try:
        return await once(request, str(form.get("once", "")), work)
    except ProblemsError as error:
        return await _again(request, name, text, revision=revision, problems=error.problems)
    except ChangedError as error:
        return await _again(request, name, text, revision=error.stored.revision, changed=error)


def _revision(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


async def _again(
    request: web.Request,
    name: str,
    text: DraftText,
    *,
    revision: int,
    problems: Iterable[Problem] = (),
    changed: ChangedError | None = None,
) -> web.Response:
    async with desk_of(request, write=False) as desk:
        bulletin = await desk.find(name)
        if bulletin.offered_from:
            kept = text_of(bulletin)
            text = replace(kept, timing=text.timing, targets=text.targets, catch_up=text.catch_up)
        found = differences(text_of(changed.stored), text) if changed else ()
        if changed and not found:
            raise explain(changed)
        return await _form_page(
            request,
            desk,
            text,
            bulletin=bulletin,
            revision=revision,
            problems=problems,
            differ=shown_differences(found, desk.tree),
        )


async def _form_page(
    request: web.Request,
    desk: Desk,
    text: DraftText,
    *,
    bulletin: Bulletin | None = None,
    revision: int | None = None,
    problems: Iterable[Problem] = (),
    differ: tuple[ShownDifference, ...] = (),
) -> web.Response:
    told = shown(problems)
    day = today(desk.now)
    units = await units_within(desk.connection, desk.viewer.scopes(Role.AUTHOR), day=day)
    digest = text.media_digest
    values = {
        "text": text,
        "bulletin": bulletin,
        "revision": revision if revision is not None else (bulletin.revision if bulletin else 0),
        "wrong": by_field(told),
        "passable": [one.sentence for one in told if one.passable],
        "differ": differ,
        "units": units,
        "media": await find_media(desk.connection, digest, scopes=_everywhere(digest, bulletin, desk)),
        "speech_text": str((await request.post()).get("speech_text", "")) if request.method == "POST" else "",
        "relay_minutes": minutes_of(text),
        "today": day,
        "in_a_month": local_datetime(WallMs(desk.now + 30 * DAY_MS)).date().isoformat(),
        "is_home": desk.tree.is_home(UnitPath(text.unit)),
        **await _unit_values(desk, text.unit, text.targets),
    }
    status = 409 if differ else 422 if told else 200
    return page(request, "bulletins/compose.html", values, status=status)


def _everywhere(digest: str, bulletin: Bulletin | None, desk: Desk) -> tuple[UnitPath, ...]:
    """Sound of one's own units and of those above; an offer brings its own."""
    tops = {UnitPath(scope.split("/", 1)[0]) for scope in desk.viewer.scopes()}
    return tuple(sorted(tops)) if digest else ()


async def _unit_values(desk: Desk, unit: str, chosen: Iterable[str]) -> dict[str, Any]:
    config = await config_in_force(desk.connection, UnitPath(unit))
    return {
        "branch": targets_tree(desk.tree, unit, chosen),
        "stations": config.fm_stations if config else (),
    }


async def show_for_unit(request: web.Request) -> web.Response:
    """Places and stations of the unit that was chosen."""
    unit = request.query.get("unit", "")
    async with desk_of(request, write=False) as desk:
        if not desk.viewer.may(Role.AUTHOR, UnitPath(unit)):
            raise Explained(
                N_("You may not write bulletins for this unit. Choose one of your own units."), status=403
            )
        values = await _unit_values(desk, unit, (unit,))
    values |= {"text": DraftText(unit=unit, targets=(UnitPath(unit),)), "wrong": {}, "whole": True}
    return fragment(request, "bulletins/_for_unit.html", values)


async def show_preview(request: web.Request) -> web.Response:
    """What the draft would do, while it is being written."""
    form = await request.post()
    text, name = text_of_form(form), str(form.get("bulletin", ""))
    async with desk_of(request, write=False) as desk:
        keeps = await desk.find(name) if name else None
        seen = await foresee(desk, text, states=(State.SUBMITTED, State.APPROVED), keeps=keeps)
    told = [one for one in shown(one for one in seen.problems if one.code not in _MISSING) if not one.passable]
    values = {
        "seen": seen,
        "told": told,
        "lacking": [one for one in shown(seen.problems) if one.sentence not in {two.sentence for two in told}],
        "is_now": text.timing.kind == "now",
        "tree": desk.tree,
        "at": request.app[CLOCK](),
    }
    return fragment(request, "bulletins/_preview.html", values)
