"""The page "Loudspeakers and their places", and the forms that move one or take it out of service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from controller.keys import CLOCK, ENGINE
from controller.people.access import require, viewer_of
from controller.people.domain import Role, Viewer
from controller.placements.domain import Bundle, Plan, Proposal, Reason, Sited, bundles, plan
from controller.placements.queries import all_units, is_retired, sited_within
from controller.placements.requests import move, retire, word
from controller.signing.pages import hand_over
from controller.signing.request import SigningRequest
from controller.store.engine import reading
from controller.units.domain import Unit
from controller.units.queries import today
from controller.web.explained import N_, Explained, not_found
from controller.web.home import HomePanel, add_panel
from controller.web.page import page
from protocol.clock import WallMs
from protocol.units import UnitPath, parent

HERE: Final = "/placements"
_MOVERS: Final = (Role.TECHNICIAN, Role.OPERATOR)


def add_routes(app: web.Application) -> None:
    """Adds the pages."""
    app.router.add_get(HERE, show_places)
    app.router.add_post(f"{HERE}/sign", hand_over_bundle)
    app.router.add_get(f"{HERE}/move", show_move)
    app.router.add_post(f"{HERE}/move", hand_over_move)
    app.router.add_post(f"{HERE}/retire", hand_over_retirement)
    add_panel(app, HomePanel(25, "placements/_home.html", load_home))


@dataclass(frozen=True, slots=True)
class Known:
    """Devices and units of the viewer, and what they need."""

    devices: tuple[Sited, ...]
    units: Mapping[UnitPath, Unit]
    plan: Plan
    now: WallMs
    day: str

    def name(self, path: UnitPath) -> str:
        """Of a unit of whatever time."""
        unit = self.units.get(path)
        return unit.name if unit is not None else path

    def device(self, name: str) -> Sited:
        """Of a form. Raises Explained when it is not there or not for these eyes."""
        found = next((one for one in self.devices if one.id == name and not is_retired(one)), None)
        if found is None:
            raise not_found(N_("There is no such device in your units."))
        return found


async def load_known(request: web.Request, viewer: Viewer) -> Known:
    """Reads what the viewer's units have."""
    now, scopes = request.app[CLOCK](), viewer.scopes()
    async with reading(request.app[ENGINE]) as connection:
        devices = await sited_within(connection, scopes)
        units = await all_units(connection, scopes)
    day = today(now)
    made = plan((one for one in devices if not is_retired(one)), units, day)
    return Known(devices, units, made, now, day)


def _may(viewer: Viewer, scope: UnitPath) -> bool:
    """Prepares a word: the signature decides, whoever opens the door to it."""
    return any(viewer.may(role, scope) for role in _MOVERS)


async def show_places(request: web.Request) -> web.Response:
    """What waits for a word, what is on its way, and all others."""
    viewer = viewer_of(request)
    known = await load_known(request, viewer)
    moved = bundles(one for one in known.plan.proposals if one.reason is Reason.MOVED)
    new = bundles(one for one in known.plan.proposals if one.reason is Reason.NEW)
    values = {
        "moved": [_bundle(one, known, viewer) for one in moved],
        "new": [_bundle(one, known, viewer) for one in new],
        "stranded": [_device(one, known, viewer) for one in known.plan.stranded],
        "travelling": [_device(one, known, viewer) for one in known.devices if one.former and not is_retired(one)],
        "units": _by_unit(known, viewer),
        "retired": [_device(one, known, viewer) for one in known.devices if is_retired(one)],
    }
    return page(request, "placements/places.html", values)


def _bundle(bundle: Bundle, known: Known, viewer: Viewer) -> dict[str, Any]:
    return {
        "scope": bundle.scope,
        "unit": known.name(bundle.scope),
        "ways": _ways(bundle, known),
        "count": len(bundle.proposals),
        "first": bundle.proposals[0].device.id,
        "may": _may(viewer, bundle.scope),
    }


def _ways(bundle: Bundle, known: Known) -> list[dict[str, Any]]:
    """From where to where, with the loudspeakers."""
    found: dict[tuple[UnitPath, UnitPath], list[Proposal]] = {}
    for one in bundle.proposals:
        found.setdefault((one.device.home, one.home), []).append(one)
    return [
        {
            "former": known.name(former),
            "home": known.name(home),
            "stays": former == home,
            "devices": [(one.device.name, one.device.place, one.place) for one in proposals],
        }
        for (former, home), proposals in found.items()
    ]


def _device(device: Sited, known: Known, viewer: Viewer) -> dict[str, Any]:
    return {
        "device": device,
        "home": known.name(device.home),
        "former": known.name(parent(device.stands) or device.stands),
        "may": _may(viewer, parent(device.stands) or device.stands),
    }


def _by_unit(known: Known, viewer: Viewer) -> list[dict[str, Any]]:
    groups: dict[UnitPath, list[Sited]] = {}
    for one in known.devices:
        if not is_retired(one):
            groups.setdefault(one.home, []).append(one)
    return [
        {"name": known.name(unit), "devices": [_device(one, known, viewer) for one in found]}
        for unit, found in sorted(groups.items(), key=lambda pair: (known.name(pair[0]), pair[0]))
    ]


async def hand_over_bundle(request: web.Request) -> web.Response:
    """Makes the document of a bundle anew, as things are now, and hands it to the signer."""
    form, viewer = await request.post(), viewer_of(request)
    known = await load_known(request, viewer)
    reason = Reason.MOVED if form.get("reason") == Reason.MOVED.value else Reason.NEW
    made = bundles(one for one in known.plan.proposals if one.reason is reason)
    wanted = str(form.get("first", ""))
    bundle = next((one for one in made if any(each.device.id == wanted for each in one.proposals)), None)
    if bundle is None:
        text = N_("This was signed meanwhile, or nothing waits any more. Look at the page again.")
        raise Explained(text, status=409, code="nothing_waits", back=HERE)
    return _hand_over(request, viewer, word(bundle, known.now))


def _hand_over(request: web.Request, viewer: Viewer, made: SigningRequest) -> web.Response:
    if not _may(viewer, made.unit):
        require(request, Role.TECHNICIAN, made.unit)
    return hand_over(request, made, back=HERE)


async def show_move(request: web.Request) -> web.Response:
    """The form that moves one loudspeaker or takes it out of service."""
    viewer = viewer_of(request)
    known = await load_known(request, viewer)
    device = known.device(request.query.get("device", ""))
    if not _may(viewer, parent(device.stands) or device.stands):
        require(request, Role.TECHNICIAN, parent(device.stands) or device.stands)
    proposal = next((one for one in known.plan.proposals if one.device == device), None)
    units = [one for one in known.units.values() if one.valid_on(known.day) and _may(viewer, one.path)]
    values = {
        "device": device,
        "home": known.name(device.home),
        "units": sorted(units, key=lambda one: one.order),
        "chosen": proposal.home if proposal else device.home,
        "leaf": (proposal.place if proposal else device.place).rpartition("/")[2],
    }
    return page(request, "placements/move.html", values)


async def hand_over_move(request: web.Request) -> web.Response:
    """Hands the word about one loudspeaker to the signer."""
    form, viewer = await request.post(), viewer_of(request)
    known = await load_known(request, viewer)
    device, unit = known.device(str(form.get("device", ""))), UnitPath(str(form.get("unit", "")))
    found = known.units.get(unit)
    if found is None or not found.valid_on(known.day) or not _may(viewer, unit):
        raise Explained(N_("Choose the unit from the list."), status=422, code="no_unit")
    taken = {*known.units, *(one.place for one in known.devices if one.id != device.id)}
    return _hand_over(request, viewer, move(device, unit, str(form.get("leaf", "")), taken, known.now))


async def hand_over_retirement(request: web.Request) -> web.Response:
    """Hands the word that takes a loudspeaker out of service to the signer."""
    form, viewer = await request.post(), viewer_of(request)
    known = await load_known(request, viewer)
    return _hand_over(request, viewer, retire(known.device(str(form.get("device", ""))), known.now))


async def load_home(request: web.Request, viewer: Viewer) -> Mapping[str, Any] | None:
    """How many loudspeakers wait for a word, for those who can bring it."""
    if not any(viewer.holds(role) for role in _MOVERS):
        return None
    known = await load_known(request, viewer)
    moved = sum(one.reason is Reason.MOVED for one in known.plan.proposals) + len(known.plan.stranded)
    new = sum(one.reason is Reason.NEW for one in known.plan.proposals)
    return {"moved": moved, "new": new} if moved or new else None
