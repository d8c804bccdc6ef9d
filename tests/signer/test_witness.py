"""The signer compares the controller's log with what it remembers, and says on its page when the two differ."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from protocol import codec
from protocol.checkpoint import Checkpoint
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import sign
from protocol.hash_chain import EMPTY, LogEntry, follow, next_entry
from protocol.keys import SigningKey
from protocol.units import UnitPath
from provisioning.demo import Ceremony
from signer.app import make_app
from signer.config import SignerConfig
from signer.hand_back import Result
from signer.witness import EVIDENCE, FILE, GRACE_MS, Doubt, Witness
from tests.signer.conftest import Desk, start
from tests.signer.documents import alert

KEY = SigningKey.from_seed(b"f" * 32)
NOW = WallMs(1_764_000_000_000)


def digest(number: int) -> str:
    return f"{number:064x}"


def chain(*numbers: int) -> list[LogEntry]:
    """A log of these documents."""
    state, made = EMPTY, []
    for number in numbers:
        entry = next_entry(state, digest=digest(number), kind="alert", scope=UnitPath("vn/92"), stored=NOW)
        state = follow(state, [entry])
        made.append(entry)
    return made


@dataclass
class Keeper:
    """A controller's log, told as a test wants."""

    key: SigningKey = field(default_factory=lambda: KEY)
    log: list[LogEntry] = field(default_factory=list)
    signed: int | None = None
    status: int = 200
    origin: str = ""

    async def show(self, request: web.Request) -> web.Response:
        if self.status != 200:
            raise web.HTTPInternalServerError
        size = len(self.log) if self.signed is None else self.signed
        state = follow(EMPTY, self.log[:size])
        made = Checkpoint(log=state.log, size=state.size, root=state.root, issued=NOW) if size else None
        packed = sign(Kind.CHECKPOINT, codec.encode(made), [self.key]).pack().decode() if made else None
        return web.json_response({"size": len(self.log), "checkpoint": packed})

    async def list(self, request: web.Request) -> web.Response:
        first, limit = int(request.query["from"]), int(request.query["limit"])
        entries = [codec.encode(one).decode() for one in self.log[first : first + limit]]
        return web.Response(text=f'{{"size":0,"entries":[{",".join(entries)}]}}', content_type="application/json")


@pytest.fixture
async def keeper() -> AsyncIterator[Keeper]:
    made, app = Keeper(), web.Application()
    app.router.add_get("/api/v1/log/checkpoint", made.show)
    app.router.add_get("/api/v1/log", made.list)
    runner, made.origin = await start(app)
    yield made
    await runner.cleanup()


@dataclass
class Eye:
    """A witness that looks again and again, also after a restart."""

    keeper: Keeper
    data: Path
    session: aiohttp.ClientSession
    wall: int = NOW

    def __post_init__(self) -> None:
        self.witness = Witness(self.data, controller=self.keeper.origin)

    def restart(self) -> None:
        self.witness = Witness(self.data, controller=self.keeper.origin)

    async def look(self) -> tuple[int, Doubt | None]:
        sight = await self.witness.look(self.session, [KEY.public], WallMs(self.wall))
        return sight.size, sight.doubt

    async def accepted(self, number: int, state: str = "accepted") -> None:
        await self.witness.handed_over([Result(digest(number), "alert", state)], WallMs(self.wall))


@pytest.fixture
async def eye(keeper: Keeper, tmp_path: Path) -> AsyncIterator[Eye]:
    async with aiohttp.ClientSession() as session:
        yield Eye(keeper, tmp_path, session)


async def test_log_that_grows_is_followed(eye: Eye, keeper: Keeper) -> None:
    assert await eye.look() == (0, None)
    for numbers in ((1, 2), (1, 2, 3), (1, 2, 3)):
        keeper.log = chain(*numbers)
        eye.restart()
        assert await eye.look() == (len(numbers), None)


async def test_forked_log_is_noticed(eye: Eye, keeper: Keeper) -> None:
    keeper.log = chain(1, 2, 3)
    await eye.look()
    keeper.log = chain(1, 2, 4, 5)
    for _ in range(2):
        assert await eye.look() == (3, Doubt.REWRITTEN)
        eye.restart()
    assert list((eye.data / EVIDENCE).glob("checkpoint-*.json"))
    keeper.log = chain(1, 2, 3, 4)
    assert await eye.look() == (4, None)


async def test_shortened_log_is_noticed(eye: Eye, keeper: Keeper) -> None:
    keeper.log = chain(1, 2, 3)
    await eye.look()
    keeper.signed = 2
    assert (await eye.look())[1] is Doubt.REWRITTEN


async def test_another_log_is_noticed(eye: Eye, keeper: Keeper) -> None:
    keeper.log = chain(1, 2)
    await eye.look()
    keeper.log = chain(9, 1, 2)
    assert (await eye.look())[1] is Doubt.REWRITTEN


async def test_entries_that_do_not_lead_to_the_checkpoint(eye: Eye, keeper: Keeper) -> None:
    keeper.log = chain(1, 2, 3)
    await eye.look()
    keeper.log = [*chain(1, 2, 3), *chain(1, 2, 4, 5)[3:]]
    keeper.signed = 3
    assert await eye.look() == (3, None)
    keeper.signed, keeper.log = None, chain(1, 2, 3, 4)
    keeper.log[3] = chain(1, 2, 3, 5)[3]
    assert await eye.look() == (4, None), "a chain that continues is believed, whatever is in it"


async def test_unknown_key_is_told(eye: Eye, keeper: Keeper) -> None:
    keeper.log, keeper.key = chain(1), SigningKey.generate()
    assert await eye.look() == (0, Doubt.STRANGER)
    keeper.key = KEY
    assert await eye.look() == (1, None)


async def test_accepted_document_that_never_comes(eye: Eye, keeper: Keeper) -> None:
    keeper.log = chain(1)
    await eye.accepted(7)
    await eye.accepted(8, "partial")
    assert (await eye.look())[1] is None
    eye.wall += GRACE_MS + 1
    eye.restart()
    assert (await eye.look())[1] is Doubt.MISSING
    keeper.log = chain(1, 7)
    assert await eye.look() == (2, None)


async def test_accepted_document_outside_the_checkpoint_is_not_enough(eye: Eye, keeper: Keeper) -> None:
    keeper.log, keeper.signed = chain(1, 7), 1
    await eye.accepted(7)
    eye.wall += GRACE_MS + 1
    assert (await eye.look())[1] is Doubt.MISSING


async def test_controller_that_hides_its_log(eye: Eye, keeper: Keeper) -> None:
    keeper.log = chain(1)
    await eye.look()
    await eye.accepted(7)
    eye.wall += GRACE_MS + 1
    keeper.status = 500
    assert await eye.look() == (1, Doubt.MISSING)


async def test_controller_that_is_away_is_not_suspected(eye: Eye, keeper: Keeper) -> None:
    keeper.log = chain(1)
    await eye.look()
    await eye.accepted(7)
    eye.wall += GRACE_MS + 1
    keeper.origin = "http://127.0.0.1:1"
    eye.restart()
    assert await eye.look() == (1, None)


async def test_damaged_memory_is_set_aside(eye: Eye, keeper: Keeper) -> None:
    keeper.log = chain(1)
    (eye.data / FILE).write_bytes(b"{")
    eye.restart()
    assert await eye.look() == (1, None)
    assert (eye.data / FILE).with_suffix(".damaged").exists()


async def test_home_page_warns(ceremony: Ceremony, keeper: Keeper) -> None:
    keeper.log = chain(1, 2)
    runner, origin = await start(make_app(SignerConfig(ceremony.data / "signer", keeper.origin, port=0)))
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:

        async def home() -> str:
            async with session.get(f"{origin}/?lang=en") as answer:
                return await answer.text()

        assert "2 entries, and it was only ever extended" in await home()
        keeper.log = chain(1, 3)
        text = await home()
        assert "is in doubt" in text and "Call the technician of the province before you sign" in text
    await runner.cleanup()


async def test_what_is_handed_over_is_owed(desk: Desk) -> None:
    await desk.sign(Kind.ALERT, alert())
    owed = json.loads((desk.ceremony.data / "signer" / FILE).read_bytes())["owed"]
    assert [one["digest"] for one in owed] == [one.digest for one in desk.controller.taken]
    assert len(owed) == 2, "the alert and its prepared cancel"
