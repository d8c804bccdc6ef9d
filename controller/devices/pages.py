"""Pages of devices: the list, one device, enrolment."""

from __future__ import annotations

from aiohttp import web

from controller.as_run.queries import Filter, runs_within
from controller.broker.keys import MQTT
from controller.devices import wording
from controller.devices.enrolment import Wanted, enrol
from controller.devices.history import faults_of, item_titles, refusals_within, standings_of
from controller.devices.identity import identity_of
from controller.devices.keys import ROSTER
from controller.devices.live import DeviceNow
from controller.devices.queries import waiting_documents
from controller.devices.view import (
    delivery_badge,
    delivery_name,
    grouped,
    labels,
    message_titles,
    row_of,
    soundings,
    visible,
)
from controller.keys import CLOCK, CONFIG, ENGINE
from controller.people.access import viewer_of
from controller.people.domain import Role
from controller.signing.queries import config_in_force
from controller.store.engine import reading
from controller.units.queries import names_of, today, trail_of, units_within
from controller.web.explained import N_, Explained, not_found
from controller.web.i18n import LANGUAGE
from controller.web.page import page
from protocol.units import UnitPath, ancestors, parent, unit_path

SHOWN_MAX = 250
"""Above this, only the communes are listed, and each leads to its own list."""


async def show_devices(request: web.Request) -> web.Response:
    """All devices of the viewer's units, by unit."""
    viewer, roster, now = viewer_of(request), request.app[ROSTER], request.app[CLOCK]()
    under = _unit_asked(request)
    rows = [row_of(roster, device, now) for device in visible(roster, viewer, under=under)]
    async with reading(request.app[ENGINE]) as connection:
        waiting = await waiting_documents(connection, viewer.scopes(), now=now)
        names = await names_of(connection, {row.device.unit for row in rows} | ({under} if under else set()))
        titles = await item_titles(connection, soundings(rows)) | message_titles()
    values = {
        "groups": grouped(rows, names),
        "whole": len(rows) <= SHOWN_MAX,
        "under": names.get(under, under) if under else None,
        "labels": labels(titles),
        "titles": titles,
        "connected": request.app[MQTT].connected,
        "waiting": waiting,
        "doubled": [row for row in rows if row.device.clone_sign],
        "may_enrol": viewer.holds(Role.TECHNICIAN),
        "wording": wording,
    }
    return page(request, "devices/list.html", values)


def _unit_asked(request: web.Request) -> UnitPath | None:
    text = request.query.get("unit", "")
    try:
        return unit_path(text) if text else None
    except ValueError:
        raise not_found() from None


def device_asked(request: web.Request) -> DeviceNow:
    """The device named in the address. Raises Explained when it is not there or not for these eyes."""
    device = request.app[ROSTER].get(request.match_info["device"])
    if device is None or not viewer_of(request).sees(device.enrolled.place):
        raise not_found(N_("There is no such device in your units."))
    return device


async def show_device(request: web.Request) -> web.Response:
    """One device: state, strip, faults, what it obeys, what it played and refused."""
    device, config = device_asked(request), request.app[CONFIG]
    row = row_of(request.app[ROSTER], device, request.app[CLOCK]())
    name, scopes = device.enrolled.id, (device.enrolled.place,)
    async with reading(request.app[ENGINE]) as connection:
        faults = await faults_of(connection, name)
        refused = await refusals_within(connection, scopes, device=name, limit=10)
        standings = await standings_of(connection, name)
        runs = await runs_within(connection, Filter(scopes=scopes, device=name, limit=15))
        trail = await trail_of(connection, device.unit)
        titles = await item_titles(connection, [one.item for one in standings] + [one.item for one in runs])
        rules = await config_in_force(connection, device.enrolled.place)
        titles |= await item_titles(connection, soundings([row])) | message_titles(rules.messages if rules else ())
        left = parent(device.enrolled.former) if device.enrolled.former else None
        former = (await names_of(connection, {left})).get(left, left) if left else ""
        identity = await identity_of(connection, name)
    panel = f"{config.panel_url}/panel/{name}?lang={LANGUAGE.get()}" if config.panel_url else None
    values = {
        "row": row,
        "device": device,
        "trail": trail,
        "names": dict(trail),
        "former": former,
        "faults": faults,
        "refusals": refused,
        "standings": standings,
        "runs": runs,
        "titles": titles,
        "labels": labels(titles),
        "panel": panel,
        "identity": identity,
        "by_certificate": config.device_tls is not None,
        "outside_broker": config.broker is not None,
        "may_renew": viewer_of(request).may(Role.TECHNICIAN, device.unit),
        "gap_ms": request.app[ROSTER].heartbeat_ms * 3 // 2,
        "wording": wording,
        "delivery_name": delivery_name,
        "delivery_badge": delivery_badge,
    }
    return page(request, "devices/device.html", values)


async def tell_title(request: web.Request) -> web.Response:
    """What the item is called that began to sound after the page was rendered."""
    viewer, item = viewer_of(request), request.query.get("item", "")
    seen = any(one.status and one.status.sounding == item for one in visible(request.app[ROSTER], viewer))
    async with reading(request.app[ENGINE]) as connection:
        titles = await item_titles(connection, [item]) if seen else {}
    return web.json_response(titles)


async def show_enrolment(request: web.Request) -> web.Response:
    """The form for a new device."""
    viewer = viewer_of(request)
    scopes = viewer.scopes(Role.TECHNICIAN)
    if not scopes:
        raise Explained(N_("Only technicians take in devices. Ask the technician of your unit."), status=403)
    async with reading(request.app[ENGINE]) as connection:
        units = await units_within(connection, scopes, day=today(request.app[CLOCK]()))
    deepest = max((len(ancestors(unit.path)) for unit in units), default=0)
    chosen = [unit for unit in units if len(ancestors(unit.path)) == deepest]
    by_certificate = request.app[CONFIG].device_tls is not None
    return page(request, "devices/enrol.html", {"units": chosen, "made": None, "by_certificate": by_certificate})


async def take_in(request: web.Request) -> web.Response:
    """Enrols and shows the token, if there is one, once: on this page and nowhere else."""
    form = await request.post()
    place = f"{form.get('unit', '')}/{str(form.get('leaf', '')).strip()}"
    certificate = str(form.get("certificate", ""))
    wanted = Wanted(str(form.get("id", "")), place, str(form.get("name", "")), certificate)
    device, token = await enrol(request, wanted)
    made = {"device": device, "token": token, "config": request.app[CONFIG]}
    return page(request, "devices/enrol.html", {"units": [], "made": made})
