"""A real running controller for tests: its own data directory and port, demo people, and browsers that are signed in.

People (all with `PASSWORD`): `author`, `approver`, `operator`, `technician`, `auditor` at `vn/92`; `ke-sach` (author
and operator), `ke-sach-2` (approver) and `ke-sach-kt` (technician) at Xã Kế Sách; `tran-de` (author and operator) and
`tran-de-2` (approver) at Xã Trần Đề.
"""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from controller.app import CAPABILITIES, make_app, present
from controller.config import Config
from controller.devices.door import open_door
from controller.people.domain import HeldRole, Role
from controller.people.passwords import hash_now
from controller.people.queries import add_account
from controller.ports import Clock
from controller.store.engine import migrate, open_engine, writing
from controller.units.fill import fill_province
from protocol.clock import WallMs
from protocol.units import UnitPath

PASSWORD = "lua chin vang 2026"
PROVINCE = UnitPath("vn/92")
KE_SACH = UnitPath("vn/92/31528")
LONG_PHU = UnitPath("vn/92/31639")
TRAN_DE = UnitPath("vn/92/31673")

PEOPLE: dict[str, tuple[UnitPath, tuple[Role, ...]]] = {
    "author": (PROVINCE, (Role.AUTHOR,)),
    "approver": (PROVINCE, (Role.APPROVER,)),
    "operator": (PROVINCE, (Role.OPERATOR,)),
    "technician": (PROVINCE, (Role.TECHNICIAN,)),
    "auditor": (PROVINCE, (Role.AUDITOR,)),
    "ke-sach": (KE_SACH, (Role.AUTHOR, Role.OPERATOR)),
    "ke-sach-2": (KE_SACH, (Role.APPROVER,)),
    "ke-sach-kt": (KE_SACH, (Role.TECHNICIAN,)),
    "tran-de": (TRAN_DE, (Role.AUTHOR, Role.OPERATOR)),
    "tran-de-2": (TRAN_DE, (Role.APPROVER,)),
}


async def fill(data: Path) -> None:
    """Makes the database that every test begins with."""
    engine = open_engine(Config(data=data).database_url)
    await migrate(engine)
    hashed = hash_now(PASSWORD)
    async with writing(engine) as connection:
        await fill_province(connection, 92)
        for login, (scope, roles) in PEOPLE.items():
            held = [HeldRole(role, scope) for role in roles]
            name = f"Người {login}"
            await add_account(connection, login, name=name, password_hash=hashed, held=held, at=WallMs(0))
    await engine.dispose()


class Person:
    """A browser of one person."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self.session = session
        self.origin = origin
        self.csrf = ""

    async def sign_in(self, login: str, password: str = PASSWORD) -> Person:
        """Signs in as a program does."""
        answer = await self.session.post("/api/v1/session", json={"login": login, "password": password})
        assert answer.status == 200, await answer.text()
        self.csrf = (await answer.json())["csrf"]
        return self

    async def see(self, path: str, *, status: int = 200) -> str:
        """The text of a page."""
        async with self.session.get(path) as answer:
            text = await answer.text()
            assert answer.status == status, text
            return text

    async def send(self, path: str, fields: dict[str, Any] | None = None, *, once: str | None = None) -> Answer:
        """Sends a form as the browser would, and follows to the page that it leads to."""
        form = {"csrf": self.csrf, "once": once or secrets.token_hex(8), **(fields or {})}
        async with self.session.post(path, data=aiohttp.FormData(_pairs(form))) as answer:
            return Answer(answer.status, answer.url.path, await answer.text())

    async def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """Calls the programs' interface; gives the JSON of the answer."""
        headers = {"X-CSRF-Token": self.csrf}
        async with self.session.request(method, f"/api/v1{path}", json=body, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json() if answer.content_type == "application/json" else await answer.read()


def _pairs(form: dict[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in form.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(one)) for one in values]
    return pairs


@dataclass(frozen=True, slots=True)
class Answer:
    """Where a form led."""

    status: int
    path: str
    text: str

    @property
    def told(self) -> str:
        """The sentences at the top of the page."""
        found = re.findall(r'<p[^>]*class="notice[^>]*>(.*?)</p>|<p role="alert">(.*?)</p>', self.text, re.DOTALL)
        return " ".join(unescape("".join(one).strip()) for one in found if any(one))


@dataclass(slots=True)
class RunningController:
    """A controller that answers on `origin`.

    Attributes:
        door: port for devices, by mutual TLS, when `device_tls` was given.
    """

    app: web.Application
    config: Config
    origin: str
    browsers: list[aiohttp.ClientSession]
    door: int | None = None

    def stranger(self) -> Person:
        """A browser that is not signed in."""
        jar = aiohttp.CookieJar(unsafe=True)
        session = aiohttp.ClientSession(self.origin, cookie_jar=jar)
        self.browsers.append(session)
        return Person(session, self.origin)

    async def person(self, login: str) -> Person:
        """A browser of a person who signed in."""
        return await self.stranger().sign_in(login)


class Hands:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.passed_ms = 0

    def __call__(self) -> WallMs:
        return WallMs(present() + self.passed_ms)


@asynccontextmanager
async def run_controller(
    data: Path,
    *,
    clock: Clock = present,
    capabilities: tuple[str, ...] = CAPABILITIES,
    extend: Callable[[web.Application], None] | None = None,
    **settings: Any,
) -> AsyncIterator[RunningController]:
    """Serves on a free port until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = Config(data=data, port=port, **{"mqtt_port": 0, "device_port": 0, **settings})
    app = make_app(config, clock=clock, capabilities=capabilities)
    if extend is not None:
        extend(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    running = RunningController(app, config, config.origin, [])
    try:
        async with open_door(runner, config) as running.door:
            yield running
    finally:
        for browser in running.browsers:
            await browser.close()
        await runner.cleanup()
