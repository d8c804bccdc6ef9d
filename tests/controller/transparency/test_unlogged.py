"""Devices that obey what this controller never distributed: the sign of a stolen key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from sqlalchemy import select

from controller.devices.reports import Batch
from controller.keys import ENGINE, EVENTS
from controller.people.domain import Viewer
from controller.people.queries import account_by_login
from controller.store.engine import reading
from controller.store.schema import audit
from controller.transparency.keys import WATCH
from controller.transparency.sightings import FOR_EACH_DEVICE_MAX
from protocol.clock import WallMs
from protocol.report import AsRun, EndReason, InForce, Report, Standing
from tests.controller.devices.pretend import Pretend, connected, enrol, until
from tests.controller.running import KE_SACH, TRAN_DE, Person, RunningController
from tests.controller.signing.authorities import Ceremony, post
from tests.controller.transparency.conftest import english, schedule

pytestmark = pytest.mark.slow

STRANGE = "5" * 64


@pytest.fixture
async def person(controller: RunningController, ceremony: Ceremony) -> Person:
    return await english(controller, "technician")


@pytest.fixture
async def device(controller: RunningController, person: Person) -> AsyncIterator[Pretend]:
    token = await enrol(person)
    async with connected(controller, token) as there:
        yield there


async def seen(person: Person, *, count: int = 1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await until(
        lambda: person.call("GET", "/unlogged"), lambda found: len(found) >= count
    )
    return found


def run(device: Pretend, document: str | None) -> AsRun:
    at = WallMs(1_764_000_000_000)
    return AsRun("r1", device.id, 1, "microphone", at, at, EndReason.COMPLETE, -1000, document=document)


@pytest.mark.parametrize("way", ["receipt", "status", "run"])
async def test_each_way_to_say_it_is_heard(device: Pretend, person: Person, way: str) -> None:
    in_force = (InForce(KE_SACH, "schedule", 9, STRANGE),)
    reports: dict[str, Report] = {
        "receipt": device.receipt(STRANGE, Standing.SOUNDING, kind="alert"),
        "status": device.status(in_force=in_force),
        "run": run(device, STRANGE),
    }
    await device.tell(reports[way])
    [found] = await seen(person)
    assert (found["device"], found["document"], found["logged_ms"]) == (device.id, STRANGE, None)
    assert found["kind"] == {"receipt": "alert", "status": "schedule", "run": ""}[way]


async def test_sticks_and_words_of_the_root_are_no_documents(device: Pretend, person: Person) -> None:
    for number, kind in enumerate(("bundle", "anchor", "root-word", "root")):
        await device.tell(device.receipt(f"{number}" * 64, Standing.RECEIVED, kind=kind))
    await device.tell(device.receipt(STRANGE, Standing.RECEIVED, kind="alert"))
    assert [one["document"] for one in await seen(person)] == [STRANGE]


async def test_told_once_on_page_home_log_and_stream(
    controller: RunningController, device: Pretend, person: Person
) -> None:
    everybody = Viewer(1, "t", "t", "vi", (await _roles(controller)))
    async with controller.app[EVENTS].subscribe(everybody) as events:
        for standing in (Standing.RECEIVED, Standing.SOUNDING):
            await device.tell(device.receipt(STRANGE, standing, kind="alert"))
        while '"unlogged"' not in (line := await events.next(within_s=3) or ""):
            assert line
    await seen(person)
    text = await person.see("/transparency")
    for words in (STRANGE, device.id, "Emergency", "What to do now", "ke-sach", "Người technician", "older backup"):
        assert words in text
    assert "obeyed something that was never distributed" in await person.see("/")
    assert "obeyed something" not in await (await english(controller, "tran-de")).see("/")
    async with reading(controller.app[ENGINE]) as connection:
        noted = await connection.scalars(select(audit.c.subject).where(audit.c.act == "transparency.unlogged"))
        assert noted.all() == [f"{device.place}#{STRANGE}"]


async def _roles(controller: RunningController) -> Any:
    async with reading(controller.app[ENGINE]) as connection:
        account = await account_by_login(connection, "technician")
    assert account is not None
    return account.roles


async def test_what_was_distributed_is_no_sign(
    controller: RunningController, ceremony: Ceremony, device: Pretend, person: Person
) -> None:
    sent = schedule(controller, ceremony.ke_sach, version=1)
    await post(controller.stranger(), sent)
    await device.tell(device.receipt(sent.digest, Standing.RECEIVED))
    await device.tell(device.receipt("4" * 64, Standing.REFUSED))
    await device.tell(device.receipt("3" * 64, Standing.RECEIVED, kind="head"))
    await device.tell(device.receipt("no digest", Standing.RECEIVED))
    await device.tell(run(device, None))
    await device.tell(device.receipt(STRANGE, Standing.RECEIVED))
    assert [one["document"] for one in await seen(person)] == [STRANGE]


async def test_document_that_came_by_stick_first_is_settled(
    controller: RunningController, ceremony: Ceremony, device: Pretend, person: Person
) -> None:
    sent = schedule(controller, ceremony.ke_sach, version=1)
    await device.tell(device.receipt(sent.digest, Standing.RECEIVED))
    await seen(person)
    await post(controller.stranger(), sent)
    [found] = await seen(person)
    assert found["logged_ms"] is not None
    assert "for instance from a stick" in await person.see("/transparency")
    assert "obeyed something" not in await person.see("/")


async def test_report_is_closed_with_a_reason(controller: RunningController, device: Pretend, person: Person) -> None:
    await device.tell(device.receipt(STRANGE, Standing.RECEIVED))
    await seen(person)
    form = {"document": STRANGE, "reason": "đã khôi phục bản sao lưu tuần trước"}
    assert (await person.send("/transparency/close", {"document": STRANGE, "reason": "ok"})).status == 400
    operator = await english(controller, "operator")
    assert (await operator.send("/transparency/close", form)).status == 403
    assert (await person.send("/transparency/close", form)).path == "/transparency"
    text = await person.see("/transparency")
    assert "đã khôi phục bản sao lưu tuần trước" in text and "What to do now" not in text
    await device.tell(device.receipt(STRANGE, Standing.HEARD))
    [found] = await seen(person)
    assert found["closed_ms"] is not None


async def test_technician_closes_only_what_is_theirs(controller: RunningController, person: Person) -> None:
    batch = Batch()
    for name, unit in (("ke-sach-01", KE_SACH), ("tran-de-01", TRAN_DE)):
        await enrol(person, name, unit)
        pretend = Pretend(name, unit, cast(Any, None))
        batch.receipts.append((pretend.receipt(STRANGE, Standing.RECEIVED), WallMs(0)))
    controller.app[WATCH].hear(batch)
    await seen(person, count=2)
    commune = await english(controller, "ke-sach-kt")
    assert "1 loudspeaker obeyed it" in await commune.see("/transparency")
    await commune.send("/transparency/close", {"reason": "đóng tất cả các báo cáo"})
    found = {one["device"]: one["closed_ms"] is not None for one in await seen(person, count=2)}
    assert found == {"ke-sach-01": True, "tran-de-01": False}


async def test_lying_device_fills_no_more_than_its_rows(controller: RunningController, person: Person) -> None:
    await enrol(person)
    pretend, batch = Pretend("ke-sach-01", KE_SACH, cast(Any, None)), Batch()
    for number in range(FOR_EACH_DEVICE_MAX + 20):
        batch.receipts.append((pretend.receipt(f"{number:064x}", Standing.RECEIVED), WallMs(0)))
    controller.app[WATCH].hear(batch)
    assert len(await seen(person, count=FOR_EACH_DEVICE_MAX)) == FOR_EACH_DEVICE_MAX
