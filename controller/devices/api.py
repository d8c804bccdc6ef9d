"""Devices for programs."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from controller.broker.keys import MQTT
from controller.devices.enrolment import Wanted, enrol
from controller.devices.keys import ROSTER
from controller.devices.live import DeviceNow, facts
from controller.devices.pages import device_asked
from controller.devices.queries import waiting_documents
from controller.devices.view import visible
from controller.keys import CLOCK, ENGINE
from controller.openapi import BOOLEAN, INTEGER, NUMBER, TEXT, WALL_MS, ApiRoute, add_api, listing, nullable, record
from controller.people.access import viewer_of
from controller.store.engine import reading
from controller.web.explained import N_, Explained
from controller.web.strict_json import loads

DEVICE = record(
    id=TEXT,
    place=TEXT,
    unit=TEXT,
    name=TEXT,
    reach={"type": "string", "enum": ["online", "quiet", "lost", "new"]},
    seen_ms=nullable(WALL_MS),
    optional={
        "lat": nullable(NUMBER),
        "lon": nullable(NUMBER),
        "rung": INTEGER,
        "level_cdb": INTEGER,
        "sounding": nullable(TEXT),
        "clock": TEXT,
        "faults": listing(TEXT),
        "media_held": INTEGER,
        "media_wanted": INTEGER,
        "agent_version": TEXT,
        "in_force": listing(record(scope=TEXT, kind=TEXT, version=INTEGER)),
    },
)
LEVELS = record(now_ms=WALL_MS, levels=listing(listing(INTEGER)))


def add_device_api(app: web.Application) -> None:
    """Adds the routes."""
    add_api(
        app,
        ApiRoute("GET", "/devices", list_devices, summary="Devices of your units", response=listing(DEVICE)),
        ApiRoute(
            "POST",
            "/devices",
            enrol_device,
            summary="Take in a device; its token is in this answer and nowhere else, empty if it has a certificate",
            request=record(id=TEXT, place=TEXT, name=TEXT, optional={"certificate": TEXT}),
            response=record(id=TEXT, place=TEXT, token=TEXT),
            status=201,
        ),
        ApiRoute("GET", "/devices/{device}", get_device, summary="One device", response=DEVICE),
        ApiRoute(
            "GET",
            "/devices/{device}/levels",
            get_levels,
            summary="What sounded in the last 15 minutes: [time, rung, level in hundredths of dBFS] for each second",
            query={"since": WALL_MS},
            response=LEVELS,
        ),
        ApiRoute(
            "GET",
            "/broker",
            get_broker,
            summary="Whether devices can be reached, and how many signed documents wait to be published",
            response=record(connected=BOOLEAN, listening=BOOLEAN, waiting=INTEGER),
        ),
    )


def _described(request: web.Request, device: DeviceNow) -> dict[str, Any]:
    grade = request.app[ROSTER].reach_of(device, now=request.app[CLOCK]())
    one = device.enrolled
    made = facts(device, grade)
    del made["device"]
    return {
        "id": one.id,
        "place": one.place,
        "unit": device.unit,
        "name": one.name,
        "lat": one.lat,
        "lon": one.lon,
    } | made


async def list_devices(request: web.Request) -> web.Response:
    """Devices of the viewer's units."""
    found = visible(request.app[ROSTER], viewer_of(request))
    return web.json_response([_described(request, device) for device in found])


async def get_device(request: web.Request) -> web.Response:
    """One device."""
    return web.json_response(_described(request, device_asked(request)))


async def get_levels(request: web.Request) -> web.Response:
    """The strip of one device."""
    device = device_asked(request)
    try:
        since = int(request.query.get("since", "0"))
    except ValueError:
        raise Explained(N_("`since` is a whole number of milliseconds."), code="bad_since") from None
    levels = [(one.wall, one.rung, one.level_cdb) for one in device.strip(since=since)]
    return web.json_response({"now_ms": request.app[CLOCK](), "levels": levels})


async def enrol_device(request: web.Request) -> web.Response:
    """Takes in a device."""
    try:
        body = await request.json(loads=loads)
        wanted = Wanted(str(body["id"]), str(body["place"]), str(body["name"]), str(body.get("certificate", "")))
    except (ValueError, KeyError, TypeError):
        raise Explained(N_("The request is JSON with the fields id, place and name."), code="bad_request") from None
    device, token = await enrol(request, wanted)
    return web.json_response({"id": device.id, "place": device.former or device.place, "token": token}, status=201)


async def get_broker(request: web.Request) -> web.Response:
    """The connection to the devices."""
    viewer, mqtt = viewer_of(request), request.app[MQTT]
    async with reading(request.app[ENGINE]) as connection:
        waiting = await waiting_documents(connection, viewer.scopes(), now=request.app[CLOCK]())
    return web.json_response({"connected": mqtt.connected, "listening": mqtt.listening, "waiting": waiting})
