"""A commune on stage: loudspeakers that are enrolled, sound in the library, authorities that sign."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import insert
from yarl import URL

from controller.devices.queries import Enrolled, add_device
from controller.keys import CLOCK, ENGINE
from controller.people.queries import account_by_login, open_session
from controller.store.engine import writing
from controller.store.schema import media
from controller.web.guard import SESSION_COOKIE
from protocol.units import UnitPath
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE, Person, RunningController
from tests.controller.signing.authorities import YEAR_MS, Ceremony, post

CAPABILITIES = ("web", "people", "units", "audit", "broker", "signing", "bulletins", "schedules")
SOUND = hashlib.sha256(b"sound").hexdigest()
LONG_SOUND = hashlib.sha256(b"long sound").hexdigest()
MINUTE_MS = 60_000


def token(device: str) -> str:
    """A device's secret."""
    return f"token-of-{device}"


async def enrol(running: RunningController, unit: UnitPath, *, count: int = 4) -> list[UnitPath]:
    """Loudspeakers c01, c02, ... of a unit."""
    places = [UnitPath(f"{unit}/c{number:02}") for number in range(1, count + 1)]
    async with writing(running.app[ENGINE]) as connection:
        for place in places:
            device = Enrolled(place.replace("/", "-"), place, f"Cụm loa {place[-2:]}")
            await add_device(connection, device, token=token(device.id), now=running.app[CLOCK]())
    return places


async def add_sound(running: RunningController, digest: str, unit: UnitPath, *, minutes: float = 2) -> None:
    """A row of the library."""
    async with writing(running.app[ENGINE]) as connection:
        await connection.execute(
            insert(media).values(
                digest=digest,
                unit=unit,
                title="Bản tin mẫu",
                origin="upload",
                size_bytes=480_000,
                duration_ms=int(minutes * MINUTE_MS),
                created_by=1,
                created_ms=running.app[CLOCK](),
            )
        )


async def browser(running: RunningController, login: str) -> Person:
    """A browser that is signed in already: guarding passwords well takes time, and is tested elsewhere."""
    app, person = running.app, running.stranger()
    async with writing(app[ENGINE]) as connection:
        account = await account_by_login(connection, login)
        assert account is not None, login
        opened = await open_session(connection, account.id, at=app[CLOCK](), idle_ms=YEAR_MS)
    token, person.csrf = opened
    person.session.cookie_jar.update_cookies({SESSION_COOKIE: token}, URL(running.origin))
    return person


async def set_up(running: RunningController) -> Ceremony:
    """Everything there is to have: devices, sound, anchor, grants."""
    for unit in (KE_SACH, TRAN_DE):
        await enrol(running, unit)
    await add_sound(running, SOUND, PROVINCE)
    await add_sound(running, LONG_SOUND, PROVINCE, minutes=90)
    ceremony = Ceremony(running.app[CLOCK]())
    ceremony.write_anchor(running.config.data)
    results = await post(running.stranger(), *ceremony.grants())
    assert {one["state"] for one in results} == {"accepted"}, results
    return ceremony


def draft(unit: UnitPath = KE_SACH, **changes: Any) -> dict[str, Any]:
    """A body for `POST /bulletins` that is right in every field."""
    usual = {
        "unit": unit,
        "title": "Tiêm phòng dại cho chó mèo",
        "class": "ordinary",
        "content": {"kind": "programme", "media_digest": SOUND},
        "when": {"kind": "now"},
        "targets": [unit],
    }
    return usual | changes


async def approved(author: Person, approver: Person, body: dict[str, Any]) -> dict[str, Any]:
    """A bulletin on its way to the signer."""
    made = await author.call("POST", "/bulletins", body, status=201)
    await author.call("POST", f"/bulletins/{made['id']}/submit", {"go_on": True})
    done: dict[str, Any] = await approver.call("POST", f"/bulletins/{made['id']}/approve", {})
    return done
