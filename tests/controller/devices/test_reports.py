"""From a device's report over the real broker to the database and the page."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from controller.app import present
from protocol.clock import WallMs
from protocol.errors import Refusal
from protocol.report import AsRun, EndReason, Fault, FaultCode, InForce, Level, Receipt, Standing, Status
from tests.controller.devices.pretend import Pretend, connected, enrol, until
from tests.controller.running import KE_SACH, TRAN_DE, Hands, RunningController, run_controller

pytestmark = pytest.mark.slow

DOCUMENT = "d" * 64
PARTS = ("web", "people", "units", "audit", "broker", "devices", "as_run")


@pytest.fixture
def capabilities() -> tuple[str, ...]:
    return PARTS


async def test_status_makes_device_online(controller: RunningController, hands: Hands) -> None:
    technician = await controller.person("technician")
    token = await enrol(technician)
    assert (await technician.call("GET", "/devices/ke-sach-01"))["reach"] == "new"
    async with connected(controller, token) as device:
        await device.tell(device.status(rung=6, level_cdb=-1800, sounding="96.0 MHz"))
        seen = await until(lambda: technician.call("GET", "/devices/ke-sach-01"), lambda it: it["reach"] == "online")
        assert (seen["rung"], seen["sounding"]) == (6, "96.0 MHz")
        assert "96.0 MHz" in await technician.see("/devices")
        hands.passed_ms += 130_000
        assert (await technician.call("GET", "/devices/ke-sach-01"))["reach"] == "quiet"
        hands.passed_ms += 300_000
        assert (await technician.call("GET", "/devices/ke-sach-01"))["reach"] == "lost"


async def test_cut_connection_is_not_online(controller: RunningController) -> None:
    technician = await controller.person("technician")
    token = await enrol(technician)
    async with connected(controller, token) as device:
        await device.tell(device.status())
        await until(lambda: technician.call("GET", "/devices/ke-sach-01"), lambda it: it["reach"] == "online")
        device.client._client._sock_close()  # the network dies, nobody says goodbye
        await until(lambda: technician.call("GET", "/devices/ke-sach-01"), lambda it: it["reach"] == "quiet")
        with pytest.raises(Exception, match=r"."):
            await device.tell(device.status())


async def test_levels_fill_the_strip(controller: RunningController) -> None:
    technician = await controller.person("technician")
    token = await enrol(technician)
    async with connected(controller, token) as device:
        now = present()
        levels = tuple(Level(WallMs(now - 3000 + 1000 * step), 6, -1800 - step) for step in range(3))
        await device.tell(device.status(now, levels=levels))
        await device.tell(device.status(now + 1, levels=(*levels, Level(now, 5, -1700))))

        async def strip() -> Any:
            return (await technician.call("GET", "/devices/ke-sach-01/levels"))["levels"]

        found = await until(strip, lambda it: len(it) == 4)
        assert found == [[one.wall, one.rung, one.level_cdb] for one in levels] + [[now, 5, -1700]]
        assert "canvas" in await technician.see("/devices/ke-sach-01")


async def test_as_run_is_kept_once(controller: RunningController) -> None:
    auditor, technician = await controller.person("auditor"), await controller.person("technician")
    token = await enrol(technician)
    async with connected(controller, token) as device:
        run = a_run(device)
        for _ in range(3):
            await device.tell(run)
        await device.tell(a_run(device, id="r2", level_cdb=-12_000))
        runs = await until(lambda: auditor.call("GET", "/as-run"), lambda it: len(it) == 2)
        assert {one["id"] for one in runs} == {"r1", "r2"}
    page = await auditor.see("/log")
    assert page.count('<tr class="unheard"') == 1
    table = await auditor.see("/log.csv")
    assert table.startswith("\ufeff") and table.count("\r\n") == 3


async def test_standing_moves_once_forward(controller: RunningController) -> None:
    technician = await controller.person("technician")
    token = await enrol(technician)
    async with connected(controller, token) as device, technician.session.get("/events") as events:
        for standing in (Standing.RECEIVED, Standing.SOUNDING, Standing.READY):
            await device.tell(device.receipt(DOCUMENT, standing))
        async with asyncio.timeout(3):
            async for line in events.content:
                if b'"standing"' in line:
                    break
        assert DOCUMENT.encode() in line

        async def page() -> str:
            return await technician.see("/devices/ke-sach-01")

        await until(page, lambda it: "Đang phát" in it or "Sounding" in it)


async def test_refusal_is_told_with_reason(controller: RunningController) -> None:
    technician, stranger = await controller.person("technician"), await controller.person("tran-de")
    token = await enrol(technician)
    async with connected(controller, token) as device:
        refused = device.receipt(DOCUMENT, Standing.REFUSED, refusal=Refusal.BAD_SIGNATURE, detail="schedule", wall=5)
        await device.tell(refused)
        await device.tell(refused)
        found = await until(lambda: technician.call("GET", "/refusals"), lambda it: it)
        assert [one["refusal"] for one in found] == ["bad_signature"]
    assert await stranger.call("GET", "/refusals") == []
    assert "bad_signature" in await technician.see("/log/refusals")


async def test_fault_begins_and_ends(controller: RunningController) -> None:
    technician = await controller.person("technician")
    token = await enrol(technician)
    async with connected(controller, token) as device:
        fault = Fault(device.id, FaultCode.SOUND_MISSING, WallMs(1000), "no level")
        await device.tell(Fault(device.id, FaultCode.CARD_LOST, WallMs(500), ended=WallMs(700)))
        await device.tell(fault)
        await device.tell(device.status(2000, faults=(FaultCode.SOUND_MISSING,)))
        seen = await until(lambda: technician.call("GET", "/devices/ke-sach-01"), lambda it: it.get("faults"))
        assert seen["faults"] == ["sound_missing"]
        await until(lambda: technician.see("/devices/ke-sach-01"), lambda it: it.count('class="badge bad"') == 1)
        await device.tell(device.status(3000, boot_id="b2"))
        await until(lambda: technician.see("/devices/ke-sach-01"), lambda it: 'class="badge bad"' not in it)


async def test_false_reports_are_dropped(controller: RunningController) -> None:
    technician = await controller.person("technician")
    token, other = await enrol(technician), await enrol(technician, "ke-sach-02")
    assert token != other
    async with connected(controller, token) as device:
        for junk in (b"", b"{", b"[]", b"x" * 70_000, b'{"device":"ke-sach-01"}'):
            await device.tell_raw(Status, junk)
        of_another = b'{"device":"ke-sach-02","document":"d","kind":"k","standing":"heard","wall":1}'
        await device.tell_raw(Receipt, of_another)
        await device.tell(device.status())
        await until(lambda: technician.call("GET", "/devices/ke-sach-01"), lambda it: it["reach"] == "online")
        assert (await technician.call("GET", "/devices/ke-sach-02"))["reach"] == "new"


async def test_devices_of_others_are_hidden(controller: RunningController) -> None:
    technician, stranger = await controller.person("technician"), await controller.person("tran-de")
    await enrol(technician)
    await enrol(technician, "tran-de-01", TRAN_DE)
    assert [one["id"] for one in await stranger.call("GET", "/devices")] == ["tran-de-01"]
    await stranger.call("GET", "/devices/ke-sach-01", status=404)
    await stranger.call("GET", "/devices/ke-sach-01/levels", status=404)
    await stranger.see("/devices/ke-sach-01", status=404)
    assert "ke-sach-01" not in await stranger.see("/devices")


async def test_only_technician_enrols(controller: RunningController) -> None:
    operator, technician = await controller.person("ke-sach"), await controller.person("ke-sach-kt")
    body = {"id": "c9", "place": f"{KE_SACH}/c9", "name": "Ấp 9"}
    await operator.call("POST", "/devices", body, status=403)
    await technician.call("POST", "/devices", {**body, "place": f"{TRAN_DE}/c9"}, status=403)
    await technician.call("POST", "/devices", body, status=201)
    await technician.call("POST", "/devices", {**body, "id": "c10"}, status=409)
    for wrong in ({"id": "C 9"}, {"place": "vn"}, {"name": " "}, {"place": f"{KE_SACH}/nowhere/c1"}):
        await technician.call("POST", "/devices", {**body, "id": "c11", **wrong}, status=400)
    form = {"unit": KE_SACH, "leaf": "c12", "id": "ke-sach-12", "name": "Ấp 12"}
    answer = await technician.send("/devices/new", form)
    assert answer.status == 200 and "data-token" in answer.text


async def test_last_word_survives_restart(controller: RunningController) -> None:
    technician = await controller.person("technician")
    token = await enrol(technician)
    async with connected(controller, token) as device:
        config = InForce(KE_SACH, "schedule", 12, DOCUMENT)
        await device.tell(device.status(in_force=(config,)))
        await until(lambda: technician.see("/devices"), lambda it: "12" in it)
    # A second service on the same data knows what was said, and counts nobody as connected.

    await asyncio.sleep(0.1)
    async with run_controller(
        controller.config.data, capabilities=("web", "people", "units", "audit", "broker", "devices", "as_run")
    ) as again:
        person = await again.person("technician")
        seen = await person.call("GET", "/devices/ke-sach-01")
        assert (seen["reach"], seen["in_force"][0]["version"]) == ("quiet", 12)


def a_run(device: Pretend, **fields: Any) -> AsRun:
    """A record of ten seconds."""
    now = present()
    values: dict[str, Any] = {"id": "r1", "level_cdb": -1800, **fields}
    values |= {"rung": 6, "source": "s", "end_reason": EndReason.COMPLETE}
    return AsRun(device=device.id, began=WallMs(now - 10_000), ended=WallMs(now), **values)
