"""Pages of emergencies: compose, watch, cancel, renew, and the banner on every other page."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from multidict import MultiDictProxy
from sqlalchemy.ext.asyncio import AsyncConnection

from controller.alerts import acts
from controller.alerts.domain import ANNOUNCEMENTS, AlertKind, Wanted, inside
from controller.alerts.queries import StoredAlert, active_alerts, recent_alerts
from controller.alerts.sample import SAMPLES, SEVERITIES, TONES
from controller.alerts.view import KIND_WORDS, hand_over, hand_over_cancel, target_names, view_alert
from controller.broker.keys import MQTT
from controller.devices import wording
from controller.keys import CLOCK, ENGINE
from controller.library.queries import find_media
from controller.people.access import viewer_of
from controller.people.domain import Role, Viewer
from controller.schedules.queries import load_tree
from controller.schedules.reach import reach
from controller.store.engine import reading
from controller.units.queries import names_of
from controller.web.explained import N_, Explained
from controller.web.i18n import gettext
from controller.web.once import Done, once
from controller.web.page import Told, fragment, page
from protocol.alert import Tone
from protocol.bulletin import MediaRef
from protocol.clock import WallMs
from protocol.limits import ALERT_TEXT_CHARS_MAX
from protocol.units import UnitPath, unit_path

MINUTES = (2, 5, 10, 15, 20, 30)


async def show_alerts(request: web.Request) -> web.Response:
    """What sounds now, the way to a new one, and the last ones."""
    viewer, now = viewer_of(request), request.app[CLOCK]()
    async with reading(request.app[ENGINE]) as connection:
        found = await recent_alerts(connection, viewer.scopes())
        names = await _names(connection, found)
        active = [await view_alert(request, connection, one) for one in found if one.active(now)]
        others = [await view_alert(request, connection, one) for one in found if not one.active(now)]
    values = {
        "active": active,
        "others": others,
        "names": names,
        "target_names": target_names,
        "may_send": viewer.holds(Role.OPERATOR),
        "connected": request.app[MQTT].connected,
    }
    return page(request, "alerts/list.html", values)


async def _names(connection: AsyncConnection, found: tuple[StoredAlert, ...]) -> dict[UnitPath, str]:
    return await names_of(connection, {place for one in found for place in (*one.alert.targets, one.scope)})


async def show_composer(request: web.Request) -> web.Response:
    """The form; the kind is chosen first, on a page of its own, so that no habit chooses it."""
    viewer = viewer_of(request)
    if not viewer.holds(Role.OPERATOR):
        raise Explained(N_("Only operators send emergencies. Ask the operator of your unit."), status=403)
    kind = _kind(request.query.get("kind", ""))
    if kind is None:
        return page(request, "alerts/choose.html", {"kinds": list(AlertKind)})
    now: WallMs = request.app[CLOCK]()
    async with reading(request.app[ENGINE]) as connection:
        places = await _places(connection, viewer, now)
    values = {
        "kind": kind,
        "kind_word": gettext(KIND_WORDS[kind]),
        "announcement": ANNOUNCEMENTS.get(kind),
        "places": [place for place in places if place["loudspeakers"]],
        "empty_places": [place for place in places if not place["loudspeakers"]],
        "samples": SAMPLES,
        "severities": {number: gettext(text) for number, text in SEVERITIES.items()},
        "tones": {name: gettext(text) for name, text in TONES.items()},
        "minutes": MINUTES,
        "chars_max": ALERT_TEXT_CHARS_MAX,
        "home": viewer.scopes(Role.OPERATOR)[0],
    }
    return page(request, "alerts/compose.html", values)


def _kind(text: str) -> AlertKind | None:
    try:
        return AlertKind(text)
    except ValueError:
        return None


async def _places(connection: AsyncConnection, viewer: Viewer, now: WallMs) -> list[dict[str, Any]]:
    """Units of the operator that may have loudspeakers of their own, with who would hear."""
    tree, scopes = await load_tree(connection, now), viewer.scopes(Role.OPERATOR)
    devices = set(tree.devices)
    homes = [path for path in tree.names if path not in devices and tree.is_home(path)]
    mine = [path for path in homes if inside(scopes, (path,))]
    made = []
    for path in mine:
        heard = reach((path,), tree.devices, tree.population)
        made.append(
            {"path": path, "name": tree.name(path), "loudspeakers": heard.loudspeakers, "people": heard.people or 0}
        )
    return sorted(made, key=lambda place: str(place["name"]))


async def compose(request: web.Request) -> web.Response:
    """Makes the draft and leads to its page, which hands over to the signer."""
    form = await request.post()
    wanted = await _read(request, form)

    async def work() -> Done:
        stored = await acts.compose(request, wanted)
        return Done(f"/alerts/{stored.id}?sign=1")

    return await once(request, str(form.get("once", "")), work)


async def _read(request: web.Request, form: MultiDictProxy[Any]) -> Wanted:
    kind = _kind(str(form.get("kind", "")))
    if kind is None:
        raise Explained(N_("Choose first whether this is an actual emergency, a drill or a test."), status=422)
    try:
        targets = tuple(unit_path(str(one)) for one in form.getall("targets", []))
        return Wanted(
            kind,
            targets,
            " ".join(str(form.get("text", "")).split()),
            media=await media_of(request, str(form.get("media_digest", ""))),
            severity=int(str(form.get("severity", "3"))),
            tone=Tone(str(form.get("tone", Tone.TWO_TONE))),
            duration_ms=int(str(form.get("minutes", "10"))) * 60_000,
        )
    except ValueError:
        text = N_("Something in the form cannot be used. Go back, check places, severity and length, and try again.")
        raise Explained(text, status=422, code="wrong_value") from None


async def media_of(request: web.Request, digest: str) -> MediaRef | None:
    """The sound that was chosen. Raises Explained when it is not in the viewer's library."""
    if not digest:
        return None
    async with reading(request.app[ENGINE]) as connection:
        found = await find_media(connection, digest, scopes=viewer_of(request).scopes())
    if found is None:
        raise Explained(N_("This sound is not in your library. Choose another one."), status=422, code="no_media")
    return found.ref()


async def show_alert(request: web.Request) -> web.Response:
    """One emergency: sign it, watch it, cancel it, renew it."""
    stored = await acts.the_alert(request)
    return page(request, "alerts/alert.html", await _alert_values(request, stored))


async def show_progress(request: web.Request) -> web.Response:
    """The part of that page that changes while it sounds."""
    stored = await acts.the_alert(request)
    return fragment(request, "alerts/progress.html", await _alert_values(request, stored))


async def _alert_values(request: web.Request, stored: StoredAlert) -> dict[str, Any]:
    async with reading(request.app[ENGINE]) as connection:
        view = await view_alert(request, connection, stored)
        names = await _names(connection, (stored,))
        units = await names_of(connection, {one.row.device.unit for one in view.devices})
        to_signer = await hand_over(request, connection, stored)
        to_cancel = await hand_over_cancel(request, connection, stored)
    return {
        "view": view,
        "alert": stored.alert,
        "stored": stored,
        "names": names,
        "units": units,
        "targets": target_names(stored, names),
        "to_signer": to_signer,
        "to_cancel": to_cancel,
        "auto": request.query.get("sign") == "1" and view.state.value == "drafted" and not view.stale,
        "severity": gettext(SEVERITIES[stored.alert.severity]),
        "wording": wording,
    }


async def cancel(request: web.Request) -> web.Response:
    """One touch: the signed cancel goes out."""
    form = await request.post()
    stored = await acts.the_alert(request)

    async def work() -> Done:
        if await acts.cancel(request, stored):
            text = gettext("The emergency is cancelled. The loudspeakers are told now.")
            return Done(f"/alerts/{stored.id}", Told(text))
        text = gettext("The cancellation is not signed yet. Sign it now: press “Sign the cancellation”.")
        return Done(f"/alerts/{stored.id}", Told(text, "error"))

    return await once(request, str(form.get("once", "")), work)


async def renew(request: web.Request) -> web.Response:
    """The same once more, to be signed."""
    form = await request.post()
    stored = await acts.the_alert(request)

    async def work() -> Done:
        fresh = await acts.renew(request, stored)
        return Done(f"/alerts/{fresh.id}?sign=1")

    return await once(request, str(form.get("once", "")), work)


async def show_banner(request: web.Request) -> web.Response:
    """The red bar of every page while something sounds; empty otherwise."""
    viewer, now = viewer_of(request), request.app[CLOCK]()
    async with reading(request.app[ENGINE]) as connection:
        found = await active_alerts(connection, viewer.scopes(), now=now)
        names = await _names(connection, found)
        views = [await view_alert(request, connection, one) for one in found]
    values = {"views": views, "names": names, "target_names": target_names}
    return fragment(request, "alerts/banner.html", values)
