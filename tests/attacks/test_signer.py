"""A taken controller wants a signature: whatever its page says, the signer shows the bytes, and signs nothing else.

What the signer's own tests show already is named on the list beside these, and not repeated here.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from html import unescape
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from protocol import codec
from protocol.alert import Cancel
from protocol.authority import authorise
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.envelope import Envelope, payload_type, sign
from protocol.errors import DocumentError, Refusal
from protocol.keys import SigningKey
from provisioning.ceremony import hold
from provisioning.demo import Ceremony
from signer.app import make_app
from signer.authority_line import ANSWER_BYTES_MAX
from signer.config import SignerConfig
from signer.keys import PEN
from tests.signer import conftest as at_the_signer
from tests.signer import documents, office
from tests.signer.conftest import Controller, Desk, start

REAL_TIME = True
kept_ceremony, ceremony = at_the_signer.kept_ceremony, at_the_signer.ceremony
desk = at_the_signer.desk
THIEF: Final = SigningKey.from_seed(b"t" * 32)
REAL, TEST = "REAL EMERGENCY", "TEST"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclasses.dataclass
class TakenController(Controller):
    """Answers whatever the thief wants.

    Attributes:
        answer: to what was signed; None is an honest one.
        recording: to whoever asks for sound.
        told: how often it was asked who may speak.
        asked: addresses that lead nowhere and were asked for.
    """

    answer: Answer | None = None
    recording: Answer | None = None
    told: int = 0
    asked: list[str] = dataclasses.field(default_factory=list)

    async def reply(self, request: web.Request) -> web.StreamResponse:
        return await self.answer(request) if self.answer else await self.take(request)

    async def sound(self, request: web.Request) -> web.StreamResponse:
        return await self.recording(request) if self.recording else await self.give(request)

    async def who_may(self, request: web.Request) -> web.StreamResponse:
        self.told += 1
        return await self.tell(request)

    async def nowhere(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        return web.Response(text="you should not be here")


@pytest.fixture
async def controller() -> AsyncIterator[TakenController]:
    """In the place of the honest one."""
    made, app = TakenController(), web.Application()
    app.router.add_get("/media/{digest}", made.sound)
    app.router.add_post("/api/v1/envelopes", made.reply)
    app.router.add_get("/api/v1/authority", made.who_may)
    app.router.add_route("*", "/{elsewhere:.*}", made.nowhere)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


def taken(desk: Desk) -> TakenController:
    """The controller this desk works for."""
    assert isinstance(desk.controller, TakenController)
    return desk.controller


def words(page: str) -> str:
    """What a person reads."""
    body = re.sub(r"<(style|script|head).*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


async def test_page_says_one_thing_and_hands_over_another(desk: Desk) -> None:
    """the page claims another title, text, place and number of loudspeakers — the signer shows what the bytes say."""
    claims = {"title": "Thông báo họp", "text": "Mời họp", "loudspeakers": "1", "places": "Ấp 1", "summary": TEST}
    text = words((await desk.open(Kind.ALERT, documents.alert(), **claims))[1])
    assert REAL in text and "Nước lũ đang lên nhanh" in text
    assert "9 loudspeakers · about 14,200 people" in text
    assert not any(claim in text for claim in ("họp", "1 loudspeaker ", TEST))


async def test_actual_that_calls_itself_a_test(desk: Desk) -> None:
    """an actual emergency whose text says it is only a test — the frame says what its kind is, not its text."""
    address, page = await desk.open(Kind.ALERT, documents.alert(text="ĐÂY CHỈ LÀ THỬ LOA. THIS IS ONLY A DRILL."))
    assert f'<body class="{Kind.ALERT}">' in page
    assert "Sign and send the REAL EMERGENCY" in words(page)
    assert REAL in words(await desk.read(address))


async def test_signed_test_used_as_actual(desk: Desk) -> None:
    """what was signed as a test is handed on as an emergency — the kind is inside the signature."""
    await desk.sign(Kind.ALERT_TEST, documents.alert())
    signed, *_ = desk.controller.taken
    retyped = dataclasses.replace(signed, payload_type=payload_type(Kind.ALERT))
    made = desk.ceremony
    with pytest.raises(DocumentError) as refused:
        authorise(retyped, anchor=made.anchor, grants=hold(made.grants, made.anchor), wall=documents.NOW, denied={})
    assert refused.value.refusal is Refusal.BAD_SIGNATURE


async def test_signatures_of_a_test_beside_an_actual(desk: Desk) -> None:
    """the first signature of a test is handed over beside an emergency — it belongs to another document."""
    await desk.sign(Kind.ALERT_TEST, documents.alert())
    signed, *_ = desk.controller.taken
    beside = base64.b64encode(signed.pack()).decode()
    status, page = await desk.refuse("alert", documents.alert(), envelope=beside)
    assert status == 400 and "belong to another document" in page


async def test_other_cancel_beside_an_alert(desk: Desk) -> None:
    """the cancel of another emergency handed over as this one's — the signer makes the cancel itself."""
    now, later = documents.NOW, WallMs(documents.NOW + 1_200_000)
    other = Cancel(documents.COMMUNE, "alert-99", now, later, (documents.COMMUNE,))
    evil = sign(Kind.CANCEL, codec.encode(other), [THIEF])
    await desk.sign(Kind.ALERT, documents.alert(), cancel=base64.b64encode(evil.pack()).decode())
    _, cancel = desk.controller.taken
    made = codec.decode(Cancel, cancel.payload, bytes_max=8192)
    assert (made.alert_id, made.targets) == ("alert-1", (documents.COMMUNE,))


async def test_cancel_names_what_it_cancels(desk: Desk) -> None:
    """a cancel for another emergency than the page says — the signer names the one in the bytes."""
    now, later = documents.NOW, WallMs(documents.NOW + 60_000)
    other = Cancel(documents.COMMUNE, "alert-99", now, later, (documents.COMMUNE,))
    text = words((await desk.open(Kind.CANCEL, codec.encode(other), alert_id="alert-1"))[1])
    assert "alert-99" in text and "alert-1 " not in text


async def lies(ceremony: Ceremony) -> list[Envelope]:
    """All that a thief can say about who may speak, and where loudspeakers stand."""
    keys = office.anchor_keys(ceremony)
    insider = [THIEF]
    return [
        office.signed(office.grant([THIEF.public]), insider),
        office.signed(office.grant([THIEF.public], serial=9), keys[:1]),
        office.signed(office.denial(), insider),
        office.signed(office.moved("loa-31498-01", "loa-31498-02", to=None, issued=documents.NOW), insider),
        office.signed(office.first_words({"31498": 1}, issued=documents.NOW + 60_000), insider),
        office.signed(office.first_words({"31498": 1}, issued=documents.NOW - 9 * 86_400_000), keys),
    ]


async def test_authority_that_lies(ceremony: Ceremony, controller: TakenController) -> None:
    """forged grants, denials and moves, and true ones of long ago, as authority in force — nothing changes."""
    controller.authority = ["{", "é" * 100, *(one.pack().decode() for one in await lies(ceremony))]
    config = SignerConfig(ceremony.data / "signer", controller.origin, port=0)
    application = make_app(config, wall=lambda: documents.NOW)
    before = application[PEN].store.known()
    runner, origin = await start(application)
    try:
        async with asyncio.timeout(5):
            while not controller.told:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        after = application[PEN].store.known()
        assert (after.anchor, dict(after.grants)) == (before.anchor, dict(before.grants))
        desk = Desk(origin, aiohttp.ClientSession(), ceremony, controller, {})
        async with desk.session:
            text = words((await desk.open(Kind.ALERT, documents.alert()))[1])
        assert "9 loudspeakers" in text
    finally:
        await runner.cleanup()


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"[" * 1_000_000)
    except (ConnectionError, asyncio.CancelledError):
        return response


async def _bomb(_: web.Request) -> web.StreamResponse:
    packed = gzip.compress(bytes(8 * ANSWER_BYTES_MAX), 1)
    return web.Response(body=packed, headers={"Content-Encoding": "gzip"})


async def _elsewhere(_: web.Request) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect("/admin/reboot")


async def _html(request: web.Request) -> web.StreamResponse:
    packed: list[str] = (await request.json())["envelopes"] if request.can_read_body else []
    evil = "<script>alert(1)</script>"
    one: dict[str, Any] = {"digest": "0" * 64, "kind": evil, "state": "refused", "refusal": evil, "detail": evil}
    return web.json_response({"results": [one for _ in packed]})


ANSWERS: Final[dict[str, Answer]] = {"endless": _endless, "bomb": _bomb, "redirect": _elsewhere, "html": _html}


@pytest.mark.parametrize("way", ANSWERS)
async def test_answers_of_the_controller(desk: Desk, way: str) -> None:
    """a signature answered without end, as a bomb, by a redirect, with a script — bounded, and shown as text."""
    taken(desk).answer = ANSWERS[way]
    address, _ = await desk.open(Kind.STOP, documents.stop())
    token = re.search(r'name="token" value="([^"]+)"', await desk.read(address))
    assert token is not None
    fields = {"token": token[1], "key": "c1", "passphrase": desk.ceremony.person("c1").passphrase}
    async with (
        asyncio.timeout(25),
        desk.session.post(f"{address}/sign", data=fields, allow_redirects=False) as answer,
    ):
        page = await answer.text()
    assert answer.status in (409, 502), page
    assert "<script>alert" not in page
    assert "/admin/reboot" not in taken(desk).asked


@pytest.mark.parametrize("way", ["endless", "bomb", "redirect"])
async def test_recording_of_the_controller(desk: Desk, way: str) -> None:
    """a recording without end, as a bomb, by a redirect — nobody can sign what was not heard."""
    taken(desk).recording = ANSWERS[way]
    payload = documents.schedule(documents.programme("a", sound=b"OggS" + bytes(9000)))
    address, _ = await desk.open(Kind.SCHEDULE, payload)
    async with asyncio.timeout(20):
        while 'http-equiv="refresh"' in (page := await desk.read(address)):
            await asyncio.sleep(0.1)
    assert 'name="passphrase"' not in page
    assert "/admin/reboot" not in taken(desk).asked
