"""Words on places that were signed before anybody enrolled the device: they count from the enrolment on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from controller.broker.keys import MQTT
from controller.keys import ENGINE
from controller.store.engine import reading
from controller.store.schema import devices
from protocol.assignment import Placement
from protocol.document import Kind
from protocol.envelope import sign
from protocol.units import UnitPath
from simulators.air import plain_programmes
from simulators.device import SimDevice
from simulators.surroundings import Enrolled, Surroundings
from tests.controller.authority.conftest import Province, province
from tests.controller.running import KE_SACH, PROVINCE, TRAN_DE
from tests.controller.signing.authorities import post
from tests.controller.signing.stage import CAPABILITIES

__all__ = ["province"]

pytestmark = pytest.mark.slow
NAME, HERE, THERE = "loa-moi", UnitPath(f"{KE_SACH}/moi-1"), UnitPath(f"{KE_SACH}/moi-2")


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return (*CAPABILITIES, "devices", "placements", "authority")


async def say(province: Province, *placements: Placement, scope: UnitPath = PROVINCE, later_ms: int = 0) -> str:
    [result] = await post(province.stranger, province.chain.word(*placements, scope=scope, later_ms=later_ms))
    return str(result["state"])


async def enrol(province: Province, place: UnitPath = HERE, *, status: int = 201) -> dict[str, Any]:
    body = {"id": NAME, "place": place, "name": "Ấp Mới"}
    made: dict[str, Any] = await province.technician.call("POST", "/devices", body, status=status)
    return made


async def row(province: Province) -> tuple[str, str | None, bool]:
    columns = devices.c
    async with reading(province.running.app[ENGINE]) as connection:
        query = select(columns.place, columns.former_place, columns.word.is_not(None)).where(columns.id == NAME)
        place, former, word = (await connection.execute(query)).one()
    return place, former, word


async def waiting(province: Province) -> list[str]:
    """Loudspeakers whose place was never signed."""
    columns = devices.c
    async with reading(province.running.app[ENGINE]) as connection:
        return list(await connection.scalars(select(columns.id).where(columns.word.is_(None))))


async def _until(province: Province, holds: Callable[[tuple[str, str | None, bool]], bool]) -> None:
    async with asyncio.timeout(15):
        while not holds(await row(province)):
            await asyncio.sleep(0.05)


@asynccontextmanager
async def real_device(province: Province, token: str, data: Path) -> AsyncIterator[SimDevice]:
    running = province.running
    address = running.app[MQTT].address
    assert address is not None
    around = Surroundings(
        controller_url=running.origin,
        mqtt_host=address.host,
        mqtt_port=address.port,
        anchor=running.config.data / "anchor.json",
        data=data,
        heartbeat_ms=500,
    )
    device = SimDevice(Enrolled(NAME, HERE, "Ấp Mới", token), around, programmes=plain_programmes())
    await device.open()
    try:
        yield device
    finally:
        await device.close()


async def test_word_said_before_reaches_the_real_device(province: Province, tmp_path: Path) -> None:
    assert await say(province, Placement(NAME, THERE, HERE)) == "accepted"
    made = await enrol(province)
    assert made["place"] == HERE, "where it was mounted, and where it listens until it hears the word"
    assert await row(province) == (THERE, HERE, True)
    page = unescape(await province.technician.see(f"/devices/{NAME}"))
    assert "Đang chuyển sang vị trí khác trong Xã Kế Sách" in page and THERE in page and HERE in page
    async with real_device(province, made["token"], tmp_path / "devices") as device:
        await device.wait_state(lambda state: state.identity.place == THERE, within_s=15)
        await _until(province, lambda found: found == (THERE, None, True))
    assert "Đang chuyển" not in unescape(await province.technician.see(f"/devices/{NAME}"))


async def test_first_word_reaches_a_device_that_is_where_it_says(province: Province, tmp_path: Path) -> None:
    assert await say(province, Placement(NAME, HERE)) == "accepted"
    made = await enrol(province)
    assert await row(province) == (HERE, None, True)
    async with real_device(province, made["token"], tmp_path / "devices") as device:
        await device.wait_state(lambda state: state.trust.transfer is not None, within_s=15)
    assert NAME not in await waiting(province)


async def test_newest_word_that_counts(province: Province) -> None:
    """Also after a later word about others, which must not put it aside."""
    others = Placement("vn-92-31528-c01", UnitPath(f"{KE_SACH}/c01"))
    assert await say(province, Placement(NAME, UnitPath(f"{KE_SACH}/moi-9"))) == "accepted"
    assert await say(province, Placement(NAME, THERE), others, later_ms=1) == "accepted"
    assert await say(province, others, later_ms=2) == "accepted"
    await enrol(province)
    assert await row(province) == (THERE, HERE, True)


async def test_word_that_does_not_reach_it(province: Province) -> None:
    """The device would refuse it; it waits for its first signed place as every new one does."""
    elsewhere = Placement(NAME, UnitPath(f"{TRAN_DE}/c77"))
    assert await say(province, elsewhere, scope=TRAN_DE) == "accepted"
    await enrol(province)
    assert await row(province) == (HERE, None, False)


async def test_word_of_an_office_that_was_denied(province: Province) -> None:
    assert await say(province, Placement(NAME, THERE)) == "accepted"
    payload = province.chain.denial(holder="anchor").payload
    [result] = await post(province.stranger, sign(Kind.DENIAL, payload, province.chain.anchors))
    assert result["state"] == "accepted", result
    await enrol(province)
    assert await row(province) == (HERE, None, False)


async def test_place_of_another_one_or_out_of_service(province: Province) -> None:
    assert await say(province, Placement(NAME, UnitPath(f"{KE_SACH}/c01"))) == "accepted"
    assert (await enrol(province, status=409))["error"]["code"] == "taken"
    assert await say(province, Placement(NAME), later_ms=1) == "accepted"
    assert (await enrol(province, status=409))["error"]["code"] == "out_of_service"
    await province.technician.see(f"/devices/{NAME}", status=404)


async def test_technician_is_told_where_it_belongs(province: Province) -> None:
    assert await say(province, Placement(NAME, THERE)) == "accepted"
    answer = await province.technician.send(
        "/devices/new", {"unit": KE_SACH, "leaf": "moi-1", "id": NAME, "name": "Ấp Mới"}
    )
    text = unescape(answer.text)
    assert "đã ký trước đây" in text and THERE in text
