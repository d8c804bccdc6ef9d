"""What is refused at the door, each with its words."""

import base64
import io
import json
from typing import Any

import aiohttp
import pytest

from protocol import codec
from protocol.alert import Cancel
from protocol.clock import WallMs
from protocol.document import Kind
from protocol.freshness import Attestation
from protocol.units import UnitPath
from tests.signer import documents
from tests.signer.conftest import Desk


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"kind": "poem"}, "does not know documents of the kind “poem”"),
        ({"kind": "head"}, "“head” are not signed here"),
        ({"kind": "attestation"}, "not signed here"),
        ({"payload": "%%%"}, "cannot read"),
        ({"payload": "e30="}, "$.scope is missing"),
        ({"payload": ""}, "could not be read"),
        ({"payload": "é"}, "cannot read"),
        ({"envelope": "e30="}, "earlier signatures could not be read"),
        ({"controller": "http://evil.example"}, "and this request came from http://evil.example"),
        ({"controller": ""}, "works for"),
        ({"controller": "ftp://x"}, "works for"),
        ({"return_url": "http://evil.example/x"}, "does not belong to the controller"),
        ({"return_url": "javascript:alert(1)"}, "does not belong to the controller"),
        ({"return_url": "/relative"}, "does not belong to the controller"),
    ],
)
async def test_hand_over_is_refused(desk: Desk, changed: dict[str, Any], words: str) -> None:
    document = documents.schedule(documents.relay("a"))
    status, page = await desk.refuse("schedule", document, **changed)
    assert status == 400
    assert words in page


async def test_return_address_with_a_user_in_it(desk: Desk) -> None:
    lookalike = desk.controller.origin.replace("http://", "http://127.0.0.1:1@evil.example/")
    document = documents.schedule(documents.relay("a"))
    _, page = await desk.refuse("schedule", document, return_url=lookalike)
    assert "does not belong" in page


async def test_localhost_is_the_same_controller(desk: Desk) -> None:
    name = desk.controller.origin.replace("127.0.0.1", "localhost")
    _, page = await desk.open(Kind.STOP, documents.stop(), controller=name, return_url=f"{name}/x")
    assert "Stop broadcasting now" in page


@pytest.mark.parametrize(
    ("shift_ms", "words"),
    [
        (-121_000, "dated in the future"),
        (301_000, "prepared too long ago"),
        (60_001, "already ended"),
    ],
)
async def test_stop_out_of_its_time(desk: Desk, shift_ms: int, words: str) -> None:
    desk.clock["wall"] += shift_ms
    _, page = await desk.refuse("stop", documents.stop())
    assert words in page


async def test_emergency_can_be_cancelled_as_long_as_it_sounds(desk: Desk) -> None:
    """Its cancel carries the date of the alert, which is old by then."""
    desk.clock["wall"] += 19 * 60_000
    ends = WallMs(documents.NOW + 20 * 60_000)
    cancel = Cancel(documents.COMMUNE, "alert-1", documents.NOW, ends, (documents.COMMUNE,))
    await desk.sign(Kind.CANCEL, codec.encode(cancel))
    assert desk.controller.taken[0].kind == "cancel"
    _, page = await desk.refuse("alert", documents.alert())
    assert "prepared too long ago" in page


async def test_schedule_of_yesterday_is_refused(desk: Desk) -> None:
    desk.clock["wall"] += 86_400_001
    _, page = await desk.refuse("schedule", documents.schedule(documents.relay("a")))
    assert "prepared too long ago" in page


async def test_alert_to_more_places_than_fit(desk: Desk) -> None:
    many = [UnitPath(f"vn/92/31498/cum-loa-so-{at:03}") for at in range(250)]
    _, page = await desk.refuse("alert", documents.alert(targets=many))
    assert "fewer places or a shorter text" in page


async def test_document_larger_than_allowed(desk: Desk) -> None:
    huge = base64.b64encode(b" " * 600_000).decode()
    _, page = await desk.refuse("schedule", payload=huge)
    assert "too_large" in page


async def test_form_larger_than_allowed(desk: Desk) -> None:
    body = io.BytesIO(b"payload=" + b"A" * 3_000_000)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    async with desk.session.post(f"{desk.origin}/review?lang=en", data=body, headers=headers) as answer:
        assert answer.status == 413
        assert "larger than the loudspeakers accept" in await answer.text()


async def test_file_in_place_of_a_text(desk: Desk) -> None:
    form = aiohttp.FormData()
    form.add_field("controller", b"x", filename="x.txt", content_type="text/plain")
    async with desk.session.post(f"{desk.origin}/review", data=form) as answer:
        assert answer.status == 400


async def test_payload_of_another_kind(desk: Desk) -> None:
    _, page = await desk.refuse("alert", codec.encode(Attestation("0" * 32, documents.NOW)))
    assert "could not be read" in page


@pytest.mark.parametrize(("origin", "status"), [("http://evil.example", 403), ("null", 400), ("", 400)])
async def test_only_the_controllers_pages_hand_over(desk: Desk, origin: str, status: int) -> None:
    headers = {"Origin": origin} if origin else {}
    form = desk.form(Kind.STOP, b"{}")
    async with desk.session.post(f"{desk.origin}/review", data=form, headers=headers) as answer:
        assert answer.status == status


async def test_signer_goes_on_in_the_language_of_the_controllers_page(desk: Desk) -> None:
    for language, word in (("en", "Stop"), ("vi", "Dừng")):
        form = desk.form(Kind.STOP, documents.stop())
        async with desk.session.post(f"{desk.origin}/review?lang={language}", data=form) as answer:
            page = await answer.text()
        assert f'<html lang="{language}">' in page
        assert word in page


async def test_rebound_name_is_refused(desk: Desk) -> None:
    port = desk.origin.rpartition(":")[2]
    for host, status in ((f"evil.example:{port}", 403), ("127.0.0.1", 403), (f"localhost:{port}", 200)):
        async with desk.session.get(desk.origin, headers={"Host": host}) as answer:
            assert answer.status == status


async def test_form_of_another_page_signs_nothing(desk: Desk) -> None:
    address, page = await desk.open(Kind.STOP, documents.stop())
    token = page.split('name="token" value="')[1].split('"')[0]
    fields = {"token": token, "key": "c1", "passphrase": desk.ceremony.person("c1").passphrase}
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
        async with desk.session.post(f"{address}/sign", data=fields, headers=headers) as answer:
            assert answer.status == 403
    async with desk.session.post(f"{address}/sign", data=fields | {"token": "x"}) as answer:
        assert answer.status == 403
    async with desk.session.post(f"{address}/sign", data=fields | {"token": "é"}) as answer:
        assert answer.status == 403
    assert not desk.log()


async def test_headers_of_every_answer(desk: Desk) -> None:
    for path in ("/", "/nowhere", "/static/signer.css", "/review/x"):
        async with desk.session.get(desk.origin + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy
            assert "default-src 'none'" in policy
            assert f"form-action 'self' {desk.controller.origin}" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_addresses_that_are_none(desk: Desk) -> None:
    for path in ("/review/unknown", "/review/unknown/envelopes.json", "/nowhere", "/review/x/media/y"):
        async with desk.session.get(desk.origin + path) as answer:
            assert answer.status == 404
    async with desk.session.get(f"{desk.origin}/review") as answer:
        assert answer.status == 405
    address, _ = await desk.open(Kind.STOP, documents.stop())
    async with desk.session.get(f"{address}/envelopes.json") as answer:
        assert answer.status == 404
    async with desk.session.get(f"{address}/sign?lang=en", allow_redirects=False) as answer:
        assert answer.status == 303


async def test_oldest_of_too_many_gives_way(desk: Desk) -> None:
    first, _ = await desk.open(Kind.STOP, documents.stop())
    form = desk.form(Kind.STOP, documents.stop())
    for _ in range(64):
        async with desk.session.post(f"{desk.origin}/review", data=form, allow_redirects=False) as answer:
            last = desk.origin + answer.headers["Location"]
    async with desk.session.get(first) as answer:
        assert answer.status == 404
    async with desk.session.get(last) as answer:
        assert answer.status == 200


async def test_field_that_cannot_be_shown_is_not_signed(desk: Desk) -> None:
    """A newer loudspeaker would obey what this program never put on the page."""
    whole = json.loads(documents.stop())
    sneaked = json.dumps(whole | {"volume": 11}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    _, page = await desk.refuse("stop", sneaked)
    assert "does not know and cannot show" in page
    _, page = await desk.refuse("stop", json.dumps(whole).encode())
    assert "does not know and cannot show" in page, "one document has one byte form"


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\x07", "\x1b", "\x7f", "\u200f"])
async def test_letters_that_turn_a_text_round_are_not_signed(desk: Desk, hidden: str) -> None:
    _, page = await desk.refuse("alert", documents.alert(text=f"Không {hidden}phải báo động"))
    assert "hidden characters" in page


@pytest.mark.parametrize("text", ["Dòng một\nDòng hai\r\n\tba", "C:\\bai \\b \\u0007", "ទឹក\u200bជំនន់"])
async def test_ordinary_texts_are_not_hidden_ones(desk: Desk, text: str) -> None:
    _, page = await desk.open(Kind.ALERT, documents.alert(text=text))
    assert "REAL EMERGENCY" in page
