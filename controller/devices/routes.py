"""Routes of devices, and the work in the background that takes in their reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from aiohttp import web

from controller.audit.wording import name_acts
from controller.broker.keys import MQTT, REPORT_LISTENERS
from controller.devices import identity_pages, pages
from controller.devices.announcer import Announcer
from controller.devices.api import add_device_api
from controller.devices.clone import CloneSign
from controller.devices.domain import DEMO_HEARTBEAT_MS, HEARTBEAT_MS
from controller.devices.door import know_device
from controller.devices.identity_pages import add_identity_api
from controller.devices.ingest import Ingest
from controller.devices.keys import ANNOUNCER, INGEST, ROSTER
from controller.devices.live import Roster
from controller.devices.remembering import remember
from controller.keys import CLOCK, CONFIG, ENGINE, EVENTS
from controller.web.i18n import N_

_ACTS = {
    "device.enrol": N_("took in a device"),
    "device.certify": N_("registered a device's certificate"),
    "device.token": N_("gave a device a new secret"),
    "device.revoke": N_("shut a device out"),
    f"device.{CloneSign.BOOTS_ALTERNATE}": N_("noticed that two boxes use this device's identity"),
    f"device.{CloneSign.CONNECTIONS_FLAP}": N_("noticed that this device connects again and again"),
}
logger = logging.getLogger(__name__)


def setup(app: web.Application) -> None:
    """Adds pages, API and background work."""
    heartbeat_ms = DEMO_HEARTBEAT_MS if app[CONFIG].demo else HEARTBEAT_MS
    app[ROSTER] = Roster(heartbeat_ms=heartbeat_ms)
    app[ANNOUNCER] = Announcer(app[EVENTS], app[ROSTER], app[CLOCK])
    app[INGEST] = Ingest(app[ENGINE], app[ROSTER], app[ANNOUNCER], app[CLOCK], confirm=app[MQTT].confirm)
    app.middlewares.insert(1, know_device)  # inside what explains failures, before anybody looks for a person
    app.setdefault(REPORT_LISTENERS, []).append(app[INGEST].receive)
    app.router.add_get("/devices", pages.show_devices)
    app.router.add_get("/devices/new", pages.show_enrolment)
    app.router.add_post("/devices/new", pages.take_in)
    app.router.add_get("/devices/titles", pages.tell_title)
    app.router.add_get("/devices/{device}", pages.show_device)
    identity_pages.add_routes(app)
    add_device_api(app)
    add_identity_api(app)
    name_acts("device.", N_("Devices"), _ACTS)
    app.cleanup_ctx.append(_take_in_reports)


async def _take_in_reports(app: web.Application) -> AsyncIterator[None]:
    await remember(app[ENGINE], app[INGEST], app[ROSTER])
    ingest = app[INGEST]
    work = (ingest.run(), ingest.watch_grades(), app[ANNOUNCER].run())
    tasks = [asyncio.create_task(one) for one in work]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
