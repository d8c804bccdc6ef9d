"""A box was copied, key and all: both connect, and the people who can do something about it are told."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from controller.app import present
from controller.broker.keys import EMBEDDED
from controller.devices.clone import CONNECTS_MANY, CloneSign, CloneWatch
from edge.adapters.mqtt_link import Broker, MqttLink
from edge.adapters.tls import client_context
from edge.backoff import Backoff
from edge.core.events import Event, LinkChanged
from edge.ports import PortError
from protocol import codec
from protocol.clock import WallMs
from protocol.report import Status
from protocol.topics import unit_topic, up_topic
from protocol.units import UnitPath
from tests.contracts.papers import Papers, authority
from tests.controller.devices.pretend import until
from tests.controller.running import KE_SACH, run_controller

DEVICE = "ke-sach-01"
PLACE = UnitPath(f"{KE_SACH}/c01")
MINUTE_MS = 60_000


def heard(watch: CloneWatch, *words: str, step_ms: int = 1000) -> list[CloneSign | None]:
    """Each word is a boot id, with `@` the device's clock where it is not ours."""
    told = []
    for number, word in enumerate(words):
        boot, _, wall = word.partition("@")
        told.append(watch.heard(boot, wall=int(wall or number * step_ms), now=number * step_ms))
    return told


def test_one_box_that_boots_often() -> None:
    assert not any(heard(CloneWatch(), "a", "a", "b", "c", "c", "d", "e", "f", "f"))


def test_two_boxes_alternate() -> None:
    assert heard(CloneWatch(), "a", "b", "a") == [None, None, CloneSign.BOOTS_ALTERNATE]


def test_late_word_of_the_former_boot() -> None:
    assert not any(heard(CloneWatch(), "a", "b@5000", "a@400", "b@6000")[:3])


def test_two_boxes_whose_clocks_disagree() -> None:
    """The copy's clock is a year behind; the other one still comes back later than it."""
    assert CloneSign.BOOTS_ALTERNATE in heard(CloneWatch(), "a@9000", "b@1", "a@9001", "b@2")


def test_boot_id_after_hours_is_no_sign() -> None:
    assert not any(heard(CloneWatch(), "a", "b", "a", step_ms=20 * MINUTE_MS))


def test_growing_pauses_are_one_box() -> None:
    watch, now, told = CloneWatch(), 0, []
    for pause_ms in (500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 150_000):
        told.append(watch.connected(now=now))
        now += pause_ms
    assert not any(told)


def test_more_connections_than_one_box_makes() -> None:
    watch = CloneWatch()
    told = [watch.connected(now=number * 1000) for number in range(CONNECTS_MANY)]
    assert told[-1] is CloneSign.CONNECTIONS_FLAP
    assert watch.is_news(CloneSign.CONNECTIONS_FLAP, now=0)
    assert not watch.is_news(CloneSign.CONNECTIONS_FLAP, now=1)
    watch.forget()
    assert watch.connected(now=CONNECTS_MANY * 1000) is None


def status(boot: str) -> Status:
    return Status(
        DEVICE,
        PLACE,
        WallMs(present()),
        rung=9,
        level_cdb=-12_000,
        clock="agreed",
        agent_version="1",
        boot_id=boot,
        media_held=0,
        media_wanted=0,
        levels=(),
    )


@asynccontextmanager
async def box(port: int, papers: Papers, boot: str) -> AsyncIterator[list[Event]]:
    """The agent's own link, which tells its state whenever it gets through; gives what it is told."""
    tls = client_context(papers.ca, certificate=papers.certificate, key=papers.key)
    broker = Broker("127.0.0.1", port, DEVICE, "", timeout_s=2.0, tls=tls)
    link = MqttLink(broker, PLACE, backoff=Backoff(low_s=0.02, high_s=0.1))

    told: list[Event] = []

    async def live() -> None:
        async for event in link.events():
            told.append(event)
            if event == LinkChanged(True):
                try:
                    await link.publish(up_topic(DEVICE, Status), codec.encode(status(boot)))
                    await link.publish(unit_topic(KE_SACH, "alert"), b"a copy's own alert")
                except PortError:
                    continue

    task = asyncio.create_task(live())
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.slow
async def test_two_boxes_with_one_identity(filled: Path, tmp_path: Path) -> None:
    province = authority(tmp_path / "province")
    data = Path(shutil.copytree(filled, tmp_path / "data"))
    async with run_controller(data, device_tls=province.server) as controller:
        technician = await controller.person("technician")
        papers = province.enrol(DEVICE)
        body = {"id": DEVICE, "place": PLACE, "name": "Ấp 1", "certificate": papers.text}
        await technician.call("POST", "/devices", body, status=201)
        port = controller.app[EMBEDDED].port

        async def faults() -> Any:
            return (await technician.call("GET", f"/devices/{DEVICE}")).get("faults", [])

        async with box(port, papers, "first") as first:
            await until(lambda: technician.call("GET", f"/devices/{DEVICE}"), lambda it: it["reach"] == "online")
            assert await faults() == []
            async with box(port, papers, "copy"):
                await until(faults, lambda it: it == ["boots_alternate"], within_s=10)
                page = await technician.see(f"/devices/{DEVICE}")
                assert "Có hai máy đang dùng danh tính" in page and "Việc cần làm" in page
                assert "Có hai máy đang dùng danh tính" in await technician.see("/devices")

                async def audit() -> str:
                    return await technician.see("/audit")

                await until(audit, lambda it: "hai máy cùng dùng danh tính" in it)
                assert {type(event) for event in first} == {LinkChanged}, "the copy's alert went nowhere"
                await technician.call("POST", f"/devices/{DEVICE}/revoke")
                fresh = province.enrol(DEVICE, box="new key")
                await technician.call("POST", f"/devices/{DEVICE}/certificate", {"certificate": fresh.text})
                async with box(port, fresh, "third"):
                    device = controller.app[EMBEDDED]
                    await until(lambda: _certain(device), lambda it: it)
                    assert await faults() == []


async def _certain(broker: Any) -> bool:
    session, _ = broker._sessions.get(DEVICE, (None, None))
    return session is not None and session.transitions.state == "connected"
