"""Forms for what else an operator signs: the rules of the loudspeakers, and stop-now."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from controller.keys import CLOCK, ENGINE
from controller.library.domain import Media
from controller.library.queries import find_media, list_media
from controller.people.access import require, viewer_of
from controller.people.domain import Role
from controller.schedules.queries import load_tree
from controller.schedules.reach import reach
from controller.signing.api import Asked, ask
from controller.signing.config_form import DAY_SETS, ConfigText, read_config, text_of, text_of_form, usual
from controller.signing.config_numbers import NUMBERS
from controller.signing.pages import hand_over
from controller.signing.queries import config_in_force
from controller.store.engine import reading
from controller.web.explained import N_, Explained
from controller.web.i18n import gettext
from controller.web.page import page
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.units import UnitPath

STOP_MINUTES: Final = (5, 15, 30, 60, 240)


def add_routes(app: web.Application) -> None:
    """Adds the forms."""
    app.router.add_get("/signing/rules", show_rules)
    app.router.add_post("/signing/rules", sign_rules)
    app.router.add_get("/signing/stop", show_stop)
    app.router.add_post("/signing/stop", sign_stop)


def _unit(request: web.Request, given: str) -> UnitPath:
    """The unit that was chosen, or the operator's first."""
    scopes = viewer_of(request).scopes(Role.OPERATOR)
    if not scopes:
        text = N_("Only operators sign. Ask the technician of your unit to give you the role.")
        raise Explained(text, status=403, code="not_allowed")
    unit = UnitPath(given) if given else scopes[0]
    require(request, Role.OPERATOR, unit)
    return unit


async def show_rules(request: web.Request) -> web.Response:
    """The rules in force, to be changed."""
    unit = _unit(request, request.query.get("unit", ""))
    async with reading(request.app[ENGINE]) as connection:
        config = await config_in_force(connection, unit)
    text = text_of(config or usual(unit))
    return await _rules_page(request, unit, text, inherited=config.scope if config else None)


async def _rules_page(
    request: web.Request,
    unit: UnitPath,
    text: ConfigText,
    *,
    inherited: UnitPath | None = None,
    wrong: dict[str, str] | None = None,
) -> web.Response:
    async with reading(request.app[ENGINE]) as connection:
        tree = await load_tree(connection, request.app[CLOCK]())
        media = await list_media(connection, scopes=[unit])
    values: dict[str, Any] = {
        "media": media,
        "unit": unit,
        "unit_name": tree.name(unit),
        "text": text,
        "wrong": wrong or {},
        "numbers": NUMBERS,
        "day_sets": [(value, gettext(title)) for value, title in DAY_SETS],
        "inherited": tree.name(inherited) if inherited and inherited != unit else "",
        "loudspeakers": reach([unit], tree.devices, {}).loudspeakers,
        "units": _own_units(request, tree.names),
    }
    return page(request, "signing/rules.html", values, status=422 if wrong else 200)


def _own_units(request: web.Request, names: Any) -> list[tuple[UnitPath, str]]:
    viewer = viewer_of(request)
    return [(path, name) for path, name in names.items() if viewer.may(Role.OPERATOR, path)]


async def sign_rules(request: web.Request) -> web.Response:
    """Checks the form and hands the configuration to the signer."""
    form = await request.post()
    unit = _unit(request, str(form.get("unit", "")))
    text = text_of_form(form)
    fields, wrong = read_config(text, await _chosen_media(request, unit, text))
    if wrong:
        return await _rules_page(request, unit, text, wrong=wrong)
    return hand_over(request, await ask(request, unit, Asked(Kind.AUDIBLE_CONFIG, {"config": fields})))


async def _chosen_media(request: web.Request, unit: UnitPath, text: ConfigText) -> list[Media]:
    """The unit's own sounds, and those that its rules name already, from wherever they came."""
    async with reading(request.app[ENGINE]) as connection:
        config = await config_in_force(connection, unit)
        named = {one.media.digest for one in config.messages} if config else set()
        found = []
        for digest in {one.digest for one in text.messages if one.digest}:
            scopes = [UnitPath(unit.split("/")[0])] if digest in named else [unit]
            media = await find_media(connection, digest, scopes=scopes)
            found += [media] if media is not None else []
    return found


async def show_stop(request: web.Request) -> web.Response:
    """Silences everything but emergencies and microphones."""
    unit = _unit(request, request.query.get("unit", ""))
    async with reading(request.app[ENGINE]) as connection:
        tree = await load_tree(connection, request.app[CLOCK]())
    values = {
        "unit": unit,
        "unit_name": tree.name(unit),
        "minutes": STOP_MINUTES,
        "loudspeakers": reach([unit], tree.devices, {}).loudspeakers,
        "units": _own_units(request, tree.names),
    }
    return page(request, "signing/stop.html", values)


async def sign_stop(request: web.Request) -> web.Response:
    """Hands a stop to the signer."""
    form = await request.post()
    unit = _unit(request, str(form.get("unit", "")))
    minutes = str(form.get("minutes", ""))
    if not minutes.isdecimal() or int(minutes) not in STOP_MINUTES:
        raise Explained(N_("Choose for how long it stays silent."), status=422, code="wrong_value")
    until = WallMs(request.app[CLOCK]() + int(minutes) * 60_000)
    return hand_over(request, await ask(request, unit, Asked(Kind.STOP, {"until_ms": until})))
