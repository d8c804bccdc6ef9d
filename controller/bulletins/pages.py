"""Lists, the page of one bulletin, and the buttons on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from aiohttp import web

from controller.audit.queries import entries_about
from controller.audit.wording import act_name
from controller.bulletins.acts import Desk, ProblemsError
from controller.bulletins.domain import MISSED, Act, Bulletin, Now, State, is_offered, possible_acts
from controller.bulletins.draft import text_of
from controller.bulletins.form import shown, timing_words
from controller.bulletins.json_form import problem_json
from controller.bulletins.queries import Filter, copies_of, count_states, list_bulletins, names_of, offers_for
from controller.bulletins.request_desk import desk_of, do_act
from controller.bulletins.standings import counted, has_standings, standings_of
from controller.bulletins.wording import CLASSES, STANDINGS, state_name
from controller.devices.wording import REFUSALS
from controller.library.queries import find_media
from controller.people.domain import Role, Viewer
from controller.schedules.foresight import foresee_bulletin
from controller.signing.queries import in_force, schedule_in_force
from controller.web.explained import N_, Explained
from controller.web.home import HomePanel, add_panel
from controller.web.i18n import gettext
from controller.web.once import Done, once
from controller.web.page import Told, fragment, page
from protocol.document import Kind
from protocol.errors import Refusal
from protocol.schedule import Programme
from protocol.units import UnitPath

PAGE_SIZE: Final = 30
TABS: Final[tuple[tuple[str, str, tuple[State, ...]], ...]] = (
    ("", N_("All"), ()),
    ("approval", N_("For approval"), (State.SUBMITTED,)),
    ("signature", N_("For signature"), (State.APPROVED,)),
    ("force", N_("In force"), (State.IN_FORCE,)),
    ("drafts", N_("Drafts"), (State.DRAFT, State.REJECTED)),
    ("past", N_("Past"), (State.ENDED, State.WITHDRAWN)),
)
BADGES: Final = {
    State.DRAFT: "idle",
    State.SUBMITTED: "wait",
    State.APPROVED: "wait",
    State.IN_FORCE: "good",
    State.ENDED: "idle",
    State.REJECTED: "bad",
    State.WITHDRAWN: "idle",
    State.OFFERED: "wait",
    State.DECLINED: "idle",
}


def add_routes(app: web.Application) -> None:
    """Adds the pages."""
    app.router.add_get("/bulletins", show_list)
    app.router.add_get("/bulletins/offers", show_offers)
    app.router.add_get("/bulletins/{bulletin}", show_one)
    app.router.add_get("/bulletins/{bulletin}/standings", show_standings)
    for name, handler in (
        ("submit", submit),
        ("approve", approve),
        ("reject", reject),
        ("withdraw", withdraw),
        ("decline", decline),
    ):
        app.router.add_post(f"/bulletins/{{bulletin}}/{name}", handler)
    add_panel(app, HomePanel(20, "bulletins/_home.html", load_home))


async def show_list(request: web.Request) -> web.Response:
    """Bulletins within the viewer's scopes; htmx asks for the list alone."""
    tab, words = request.query.get("tab", ""), request.query.get("words", "")[:200]
    offset = request.query.get("offset", "0")
    states = next((states for name, _, states in TABS if name == tab), ())
    wanted = Filter(states, words=words, limit=PAGE_SIZE, offset=int(offset) if offset.isdecimal() else 0)
    async with desk_of(request, write=False) as desk:
        found, total = await list_bulletins(desk.connection, desk.viewer.scopes(), wanted)
        values = {
            "rows": [_row(one, desk) for one in found],
            "tabs": [(name, gettext(title)) for name, title, _ in TABS],
            "tab": tab,
            "words": words,
            "more": wanted.offset + len(found) if wanted.offset + len(found) < total else 0,
            "total": total,
            "offers": len(await offers_for(desk.connection, desk.viewer.scopes(Role.AUTHOR))),
            "writes": desk.viewer.holds(Role.AUTHOR),
        }
    if request.headers.get("HX-Request"):
        return fragment(request, "bulletins/_list.html", values)
    return page(request, "bulletins/list.html", values)


def _row(bulletin: Bulletin, desk: Desk) -> dict[str, Any]:
    offered = is_offered(bulletin, home=desk.tree.is_home(bulletin.unit))
    return {
        "bulletin": bulletin,
        "state": state_name(bulletin, offered=offered),
        "badge": "bad" if bulletin.reason == MISSED and not offered else BADGES[bulletin.state],
        "unit": desk.tree.name(bulletin.unit),
        "when": timing_words(text_of(bulletin).timing),
    }


async def show_offers(request: web.Request) -> web.Response:
    """The commune's inbox: what the units above offer."""
    async with desk_of(request, write=False) as desk:
        scopes = desk.viewer.scopes()
        waiting = await offers_for(desk.connection, scopes)
        declined, _ = await list_bulletins(desk.connection, scopes, Filter((State.DECLINED,), limit=20))
        values = {
            "rows": [await _offer(one, desk) for one in waiting],
            "declined": [_row(one, desk) for one in declined],
        }
    return page(request, "bulletins/offers.html", values)


async def _offer(bulletin: Bulletin, desk: Desk) -> dict[str, Any]:
    origin = await desk.find(bulletin.offered_from) if bulletin.offered_from else bulletin
    return _row(bulletin, desk) | {
        "from": desk.tree.name(origin.unit),
        "media": await _media_of(bulletin, desk),
        "acts": possible_acts(bulletin, desk.viewer),
    }


async def show_one(request: web.Request) -> web.Response:
    """Everything about one bulletin, and what can be done with it."""
    async with desk_of(request, write=False) as desk:
        bulletin = await desk.find(request.match_info["bulletin"])
        values = await _one_values(desk, bulletin)
    return page(request, "bulletins/one.html", values)


async def _one_values(desk: Desk, bulletin: Bulletin) -> dict[str, Any]:
    home = desk.tree.is_home(bulletin.unit)
    names = await names_of(desk.connection, [bulletin.author_id, bulletin.approved_by])
    alive = bulletin.state in (State.DRAFT, State.SUBMITTED, State.APPROVED, State.IN_FORCE, State.OFFERED)
    others = (State.SUBMITTED, State.APPROVED)
    seen = await foresee_bulletin(desk, bulletin, states=others) if alive else None
    acts = possible_acts(bulletin, desk.viewer)
    if bulletin.author_id == desk.viewer.account:
        acts -= {Act.APPROVE}
    return _row(bulletin, desk) | {
        "offered": is_offered(bulletin, home=home),
        "acts": {act.value for act in acts},
        "author": names.get(bulletin.author_id, ""),
        "approver": names.get(bulletin.approved_by or 0, ""),
        "own": bulletin.author_id == desk.viewer.account,
        "class_name": gettext(CLASSES[bulletin.bulletin_class.value]),
        "targets": [desk.tree.name(target) for target in bulletin.targets],
        "media": await _media_of(bulletin, desk),
        "seen": seen,
        "problems": shown(seen.problems) if seen else (),
        "is_now": isinstance(bulletin.timing, Now),
        "history": await _history(desk, bulletin),
        "copies": [_row(one, desk) for one in await copies_of(desk.connection, bulletin.id)],
        "still_signed": await _still_signed(desk, bulletin),
        "signs": desk.viewer.may(Role.OPERATOR, bulletin.unit),
        "writes": desk.viewer.holds(Role.AUTHOR),
        **await _standings_values(desk, bulletin),
    }


async def _media_of(bulletin: Bulletin, desk: Desk) -> Any:
    if not isinstance(bulletin.content, Programme):
        return None
    top = UnitPath(bulletin.unit.split("/", 1)[0])  # whoever may see the bulletin may listen to it
    return await find_media(desk.connection, bulletin.content.media.digest, scopes=[top])


async def _history(desk: Desk, bulletin: Bulletin) -> list[dict[str, Any]]:
    return [
        {"at": one.at_ms, "who": one.who or "", "act": act_name(one.act), "detail": one.detail}
        for one in await entries_about(desk.connection, f"{bulletin.unit}#{bulletin.id}")
    ]


async def _still_signed(desk: Desk, bulletin: Bulletin) -> bool:
    """Whether loudspeakers still have it although it was withdrawn."""
    if bulletin.state is not State.WITHDRAWN:
        return False
    found = await schedule_in_force(desk.connection, bulletin.unit)
    return found is not None and any(item.id == bulletin.id for item in found[1].items)


async def show_standings(request: web.Request) -> web.Response:
    """How far it is on each loudspeaker, asked for again whenever something changed."""
    async with desk_of(request, write=False) as desk:
        bulletin = await desk.find(request.match_info["bulletin"])
        values = {"bulletin": bulletin, **await _standings_values(desk, bulletin)}
    return fragment(request, "bulletins/_standings.html", values)


async def _standings_values(desk: Desk, bulletin: Bulletin) -> dict[str, Any]:
    was_signed = bulletin.state is State.IN_FORCE or await has_standings(desk.connection, bulletin.id)
    signed = was_signed or await _still_signed(desk, bulletin)
    found = await standings_of(desk.connection, bulletin) if signed else ()
    document = await in_force(desk.connection, bulletin.unit, Kind.SCHEDULE) if signed else None
    return {
        "signed": signed,
        "counts": counted(found),
        "standings": found,
        "standing_names": {name: gettext(text) for name, text in STANDINGS.items()},
        "refusal_names": {one.value: gettext(text) for one, text in REFUSALS.items() if isinstance(one, Refusal)},
        "waits_for_broker": document is not None and document.published is None,
    }


async def submit(request: web.Request) -> web.StreamResponse:
    """Hands it to an approver."""
    go_on = (await request.post()).get("go_on") == "1"
    told = N_("The bulletin was submitted. An approver sees it now.")
    return await _press(request, lambda desk, name: desk.submit(name, go_on=go_on), told)


async def approve(request: web.Request) -> web.StreamResponse:
    """Lets it into the next schedule."""
    told = N_("You approved the bulletin. It sounds as soon as an operator has signed the schedule.")
    return await _press(request, lambda desk, name: desk.approve(name), told)


async def reject(request: web.Request) -> web.StreamResponse:
    """Returns it to its author."""
    reason = str((await request.post()).get("reason", ""))
    told = N_("The bulletin went back to its author with your reason.")
    return await _press(request, lambda desk, name: desk.reject(name, reason=reason), told)


async def withdraw(request: web.Request) -> web.StreamResponse:
    """Takes it out of the next schedule."""
    reason = str((await request.post()).get("reason", ""))
    told = N_("The bulletin was withdrawn. What is already signed falls silent with the next signature.")
    return await _press(request, lambda desk, name: desk.withdraw(name, reason=reason), told)


async def decline(request: web.Request) -> web.StreamResponse:
    """The commune does not place an offer."""
    reason = str((await request.post()).get("reason", ""))
    told = N_("The offer was declined. You can still place it later, from the inbox.")
    return await _press(request, lambda desk, name: desk.decline(name, reason=reason), told, to="/bulletins/offers")


async def _press(
    request: web.Request, act: Callable[[Desk, str], Awaitable[Bulletin]], told: str, *, to: str = ""
) -> web.StreamResponse:
    form, name = await request.post(), request.match_info["bulletin"]

    async def work() -> Done:
        await do_act(request, act)
        return Done(to or f"/bulletins/{name}", Told(gettext(told)))

    try:
        return await once(request, str(form.get("once", "")), work)
    except ProblemsError as error:
        first = problem_json(error.problems[0])
        text = N_("It cannot go on like this. %(sentence)s")
        back = f"/bulletins/{name}"
        raise Explained(text, status=409, code=first["code"], back=back, sentence=first["message"]) from error


async def load_home(request: web.Request, viewer: Viewer) -> Mapping[str, Any] | None:
    """What waits for this person: approvals, returned drafts, offers."""
    async with desk_of(request, write=False) as desk:
        approvals, _ = await list_bulletins(
            desk.connection, viewer.scopes(Role.APPROVER), Filter((State.SUBMITTED,), limit=10)
        )
        returned = await count_states(desk.connection, viewer.scopes(Role.AUTHOR), (State.REJECTED,))
        offers = len(await offers_for(desk.connection, viewer.scopes(Role.AUTHOR)))
        rows = [_row(one, desk) for one in approvals if one.author_id != viewer.account]
    if not (rows or returned or offers):
        return None
    return {"approvals": rows, "returned": returned, "offers": offers}
