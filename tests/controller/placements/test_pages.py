"""Loudspeakers and their places: from the merge of two communes to the loudspeaker that says it has followed."""

from __future__ import annotations

import asyncio
from html import unescape

import pytest

from controller.broker.gate import DeviceGate
from controller.broker.keys import REPORT_LISTENERS
from controller.broker.rights import DeviceRights, Offer
from controller.keys import CLOCK, ENGINE
from controller.units.queries import today
from protocol import codec
from protocol.assignment import Assignment
from protocol.document import Kind
from protocol.envelope import sign
from protocol.report import Status
from protocol.topics import unit_topic, up_topic
from protocol.units import UnitPath
from tests.controller.authority.test_pages import handed
from tests.controller.placements.conftest import Province
from tests.controller.running import KE_SACH, LONG_PHU, TRAN_DE
from tests.controller.signing.authorities import post
from tests.controller.signing.stage import token

pytestmark = pytest.mark.slow

DEVICE = "vn-92-31673-c01"


def read_word(payload: bytes) -> Assignment:
    return codec.decode(Assignment, payload, bytes_max=512 * 1024)


async def signed(province: Province, payload: bytes) -> str:
    [result] = await post(province.stranger, sign(Kind.ASSIGNMENT, payload, province.chain.office_keys))
    return str(result["state"])


async def merge(province: Province) -> str:
    """Trần Đề joins Kế Sách today."""
    day = today(province.running.app[CLOCK]())
    answer = await province.technician.send(f"/units/merge/{TRAN_DE}", {"into": KE_SACH, "day": day})
    return answer.text


async def tell_place(province: Province, place: str) -> None:
    app = province.running.app
    status = Status(DEVICE, UnitPath(place), app[CLOCK](), 9, -12_000, "agreed", "1", "b1", 0, 0)
    for listener in app[REPORT_LISTENERS]:
        listener(up_topic(DEVICE, Status), codec.encode(status), False)


async def documents(province: Province, place: str) -> int:
    headers = {"Authorization": f"Bearer {token(DEVICE)}"}
    address = f"/device/v1/documents?place={place}"
    async with province.stranger.session.get(address, headers=headers) as answer:
        return answer.status


async def test_new_loudspeakers_are_signed_in_one_go(province: Province) -> None:
    page = unescape(await province.operator.see("/placements"))
    assert "Mới: chưa ký vị trí" in page
    assert "Ký vị trí của 8 cụm loa" in page
    assert "8 cụm loa mới chưa có vị trí được ký" in unescape(await province.operator.see("/"))
    fields = {"first": "vn-92-31528-c01", "reason": "new"}
    kind, payload = handed(await province.operator.send("/placements/sign", fields))
    word = read_word(payload)
    assert (kind, word.scope, len(word.placements)) == (Kind.ASSIGNMENT, "vn/92", 8)
    assert await signed(province, payload) == "accepted"
    assert "Mọi cụm loa đều ở đúng vị trí đã ký" in unescape(await province.operator.see("/placements"))
    again = await province.operator.send("/placements/sign", fields)
    assert again.status == 409


async def test_commune_signs_its_own(province: Province) -> None:
    page = unescape(await province.commune.see("/placements"))
    assert "Ký vị trí của 4 cụm loa" in page
    assert "31673" not in page
    fields = {"first": "vn-92-31528-c01", "reason": "new"}
    _, payload = handed(await province.commune.send("/placements/sign", fields))
    assert read_word(payload).scope == KE_SACH


async def test_merge_moves_loudspeakers(province: Province) -> None:
    told = unescape(await merge(province))
    assert "4 cụm loa giữ nguyên vị trí cho đến khi vị trí mới được ký" in told
    assert "4 cụm loa vẫn thuộc đơn vị này" in told
    page = unescape(await province.operator.see("/placements"))
    assert "Từ Xã Trần Đề sang Xã Kế Sách" in page
    fields = {"first": DEVICE, "reason": "moved"}
    _, payload = handed(await province.operator.send("/placements/sign", fields))
    old, new = f"{TRAN_DE}/c01", f"{KE_SACH}/c01-2"
    assert (read_word(payload).placements[0].place, read_word(payload).placements[0].former) == (new, old)
    assert await signed(province, payload) == "accepted"
    assert "chưa xác nhận" in unescape(await province.operator.see("/placements"))
    assert (await documents(province, old), await documents(province, new)) == (200, 200)

    await asyncio.wait_for(_until_followed(province, new), 20)
    assert (await documents(province, old), await documents(province, new)) == (403, 200)
    page = unescape(await province.operator.see("/placements"))
    assert page.count("chưa xác nhận") == 3


async def _until_followed(province: Province, place: str) -> None:
    while await documents(province, f"{TRAN_DE}/c01") == 200:
        await tell_place(province, place)
        await asyncio.sleep(0.05)


async def test_device_that_was_moved_while_connected_may_listen_there(province: Province) -> None:
    gate = DeviceGate(province.running.app[ENGINE])
    rights = await gate.admit(Offer(DEVICE, DEVICE, token(DEVICE)))
    assert rights is not None
    topic = unit_topic(UnitPath(f"{KE_SACH}/c09"), "doc")
    assert not rights.may_subscribe(topic)
    fields = {"device": DEVICE, "unit": KE_SACH, "leaf": "c09"}
    _, payload = handed(await province.operator.send("/placements/move", fields))
    assert await signed(province, payload) == "accepted"
    renewed = await gate.renew(rights)
    assert renewed.may_subscribe(topic)
    assert renewed.may_subscribe(unit_topic(UnitPath(f"{TRAN_DE}/c01"), "doc"))
    assert isinstance(renewed, DeviceRights)


async def test_moving_one_by_hand(province: Province) -> None:
    page = unescape(await province.operator.see(f"/placements/move?device={DEVICE}"))
    assert "Chuyển một cụm loa" in page

    async def told(**fields: str) -> str:
        form = {"device": DEVICE, "unit": LONG_PHU, "leaf": "c01"} | fields
        return unescape((await province.operator.send("/placements/move", form)).text)

    assert "chữ thường không dấu" in await told(leaf="Ấp 1")
    assert "đã có cụm loa hoặc đơn vị khác" in await told(unit=KE_SACH)
    assert "đã thuộc vị trí này rồi" in await told(unit=TRAN_DE)
    assert "chọn đơn vị trong danh sách" in await told(unit="vn/93/1")
    _, payload = handed(
        await province.operator.send("/placements/move", {"device": DEVICE, "unit": LONG_PHU, "leaf": "C01"})
    )
    assert read_word(payload).placements[0].place == f"{LONG_PHU}/c01"


async def test_out_of_service(province: Province) -> None:
    _, payload = handed(await province.operator.send("/placements/retire", {"device": DEVICE}))
    assert read_word(payload).placements[0].place is None
    assert await signed(province, payload) == "accepted"
    page = unescape(await province.operator.see("/placements"))
    assert "Ngừng sử dụng" in page
    assert (await documents(province, f"{TRAN_DE}/c01")) == 200, "it still has to hear of it"


async def test_others_loudspeakers_are_hidden(province: Province) -> None:
    await province.commune.see(f"/placements/move?device={DEVICE}", status=404)
    answer = await province.commune.send("/placements/move", {"device": DEVICE, "unit": KE_SACH, "leaf": "c20"})
    assert answer.status == 404
