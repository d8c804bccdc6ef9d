"""The door for devices: a registered certificate opens it, and nothing else does."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
import pytest

from controller.broker.keys import EMBEDDED
from controller.config import Config
from edge.adapters.tls import client_context
from protocol.topics import online_topic, unit_topic
from tests.contracts.papers import Authority, Papers, authority
from tests.controller.running import KE_SACH, Person, RunningController, run_controller

pytestmark = pytest.mark.slow

DEVICE = "ke-sach-01"
PLACE = f"{KE_SACH}/c01"
NONCE = {"nonce": "0" * 32}


@pytest.fixture
def province(tmp_path: Path) -> Authority:
    return authority(tmp_path / "province")


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "data"))


@pytest.fixture
async def controller(data: Path, province: Authority) -> AsyncIterator[RunningController]:
    async with run_controller(data, device_tls=province.server) as running:
        yield running


def context_of(papers: Papers) -> ssl.SSLContext:
    return client_context(papers.ca, certificate=papers.certificate, key=papers.key)


async def take_in(person: Person, papers: Papers | None = None, device: str = DEVICE) -> Any:
    body = {"id": device, "place": f"{KE_SACH}/{device[-3:].replace('-', 'c')}", "name": "Ấp 1"}
    if papers is not None:
        body["certificate"] = papers.text
    return await person.call("POST", "/devices", body, status=201)


@asynccontextmanager
async def asking(controller: RunningController, papers: Papers) -> AsyncIterator[Callable[..., Any]]:
    connector = aiohttp.TCPConnector(ssl=context_of(papers))
    async with aiohttp.ClientSession(f"https://127.0.0.1:{controller.door}", connector=connector) as session:

        async def ask(method: str, path: str, **options: Any) -> int:
            async with session.request(method, path, **options) as answer:
                await answer.read()
                return answer.status

        yield ask


def link(controller: RunningController, papers: Papers, device: str = DEVICE) -> aiomqtt.Client:
    port = controller.app[EMBEDDED].port
    return aiomqtt.Client(
        "127.0.0.1", port, identifier=device, username=device, tls_context=context_of(papers), timeout=2
    )


async def test_certificate_opens_the_door(controller: RunningController, province: Authority) -> None:
    technician, papers = await controller.person("technician"), province.enrol(DEVICE)
    assert (await take_in(technician, papers))["token"] == ""
    root = controller.config.data / "root" / "metadata"
    root.mkdir(parents=True, exist_ok=True)
    (root / "timestamp.json").write_text("{}")
    async with asking(controller, papers) as ask:
        assert await ask("POST", "/device/v1/attest", json=NONCE) == 200
        assert await ask("GET", "/root/metadata/timestamp.json") == 200
        assert await ask("GET", f"/media/{'0' * 64}") == 404
        assert await ask("GET", "/devices") == 404
        assert await ask("POST", "/api/v1/session", json={}) == 404
    async with link(controller, papers) as client:
        await client.subscribe(unit_topic(KE_SACH, "alert"), qos=1)
        await client.publish(online_topic(DEVICE), b"1", qos=1)


async def test_unregistered_certificate_opens_nothing(controller: RunningController, province: Authority) -> None:
    """It is from our CA and names the device, but it is another key: the copy of a form, not of a box."""
    technician, papers = await controller.person("technician"), province.enrol(DEVICE)
    await take_in(technician, papers)
    other = province.enrol(DEVICE, box="another")
    async with asking(controller, other) as ask:
        assert await ask("POST", "/device/v1/attest", json=NONCE) == 401
        assert await ask("GET", f"/media/{'0' * 64}") == 401
    with pytest.raises(aiomqtt.MqttError):
        async with link(controller, other):
            pass


async def test_one_device_is_not_another(controller: RunningController, province: Authority) -> None:
    technician = await controller.person("technician")
    mine, theirs = province.enrol(DEVICE), province.enrol("ke-sach-02")
    await take_in(technician, mine)
    await take_in(technician, theirs, "ke-sach-02")
    with pytest.raises(aiomqtt.MqttError):
        async with link(controller, theirs):
            pass
    body = {"certificate": theirs.text}
    await technician.call("POST", f"/devices/{DEVICE}/certificate", body, status=400)


async def test_plain_port_knows_no_devices(controller: RunningController, province: Authority) -> None:
    stranger = controller.stranger()
    async with stranger.session.post("/device/v1/attest", json=NONCE) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (403, "wrong_door")
    technician = await controller.person("technician")
    await take_in(technician, province.enrol(DEVICE))
    await technician.call("POST", f"/devices/{DEVICE}/token", status=409)


async def test_controllers_own_way_is_not_for_devices(controller: RunningController, province: Authority) -> None:
    technician = await controller.person("technician")
    await take_in(technician, province.enrol(DEVICE))
    host, port = controller.app[EMBEDDED].inside
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client(host, port, identifier=DEVICE, username=DEVICE, password="", timeout=2):
            pass


async def test_shut_out_at_once(controller: RunningController, province: Authority) -> None:
    """A stolen box: one click, and its line is down."""
    technician, papers = await controller.person("technician"), province.enrol(DEVICE)
    await take_in(technician, papers)
    async with asking(controller, papers) as ask, link(controller, papers) as client:
        await client.subscribe(unit_topic(KE_SACH, "alert"), qos=1)
        answer = await technician.send(f"/devices/{DEVICE}/revoke")
        assert (answer.status, answer.path) == (200, f"/devices/{DEVICE}")
        assert await ask("POST", "/device/v1/attest", json=NONCE) == 401
        with pytest.raises(aiomqtt.MqttError):
            async with asyncio.timeout(3):
                async for _ in client.messages:
                    pass
    with pytest.raises(aiomqtt.MqttError):
        async with link(controller, papers):
            pass
    assert "Bị chặn từ" in await technician.see(f"/devices/{DEVICE}")
    assert "đã chặn một thiết bị" in await technician.see("/audit")


async def test_new_certificate_lets_in_again(controller: RunningController, province: Authority) -> None:
    technician, stolen = await controller.person("technician"), province.enrol(DEVICE)
    await take_in(technician, stolen)
    await technician.call("POST", f"/devices/{DEVICE}/revoke")
    fresh = province.enrol(DEVICE, box="new box")
    answer = await technician.send(f"/devices/{DEVICE}/certificate", {"certificate": fresh.text})
    assert "Đã đăng ký chứng thư" in answer.told
    async with link(controller, fresh), asking(controller, stolen) as ask:
        assert await ask("POST", "/device/v1/attest", json=NONCE) == 401
    assert fresh.fingerprint[:16] in await technician.see(f"/devices/{DEVICE}")


async def test_foreign_certificate_is_not_registered(
    controller: RunningController, province: Authority, tmp_path: Path
) -> None:
    technician = await controller.person("technician")
    await take_in(technician)
    foreign = authority(tmp_path / "foreign").enrol(DEVICE)
    for text in (foreign.text, "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "é"):
        await technician.call("POST", f"/devices/{DEVICE}/certificate", {"certificate": text}, status=400)


async def test_only_technicians_change_identities(controller: RunningController, province: Authority) -> None:
    technician, officer = await controller.person("technician"), await controller.person("ke-sach")
    papers = province.enrol(DEVICE)
    await take_in(technician, papers)
    for act, body in (("revoke", None), ("certificate", {"certificate": papers.text}), ("token", None)):
        await officer.call("POST", f"/devices/{DEVICE}/{act}", body, status=403)
    assert f"/devices/{DEVICE}/revoke" not in await officer.see(f"/devices/{DEVICE}")


async def test_new_token_on_this_machine(data: Path) -> None:
    async with run_controller(data) as controller:
        technician = await controller.person("technician")
        old = (await take_in(technician))["token"]
        new = (await technician.call("POST", f"/devices/{DEVICE}/token"))["token"]
        stranger = controller.stranger()
        for token, status in ((old, 401), (new, 200)):
            headers = {"Authorization": f"Bearer {token}"}
            async with stranger.session.post("/device/v1/attest", json=NONCE, headers=headers) as answer:
                assert answer.status == status
        shown = await technician.send(f"/devices/{DEVICE}/token")
        assert "data-token" in shown.text


def test_plain_listener_abroad_is_known(tmp_path: Path) -> None:
    assert not Config(tmp_path).plainly_abroad
    assert Config(tmp_path, host="0.0.0.0").plainly_abroad
    assert Config(tmp_path, device_host="10.0.0.7").plainly_abroad
    assert not Config(tmp_path, host="0.0.0.0", device_tls=tmp_path).plainly_abroad


@pytest.mark.slow
async def test_refuses_to_listen_plainly_abroad(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "controller", "--data", str(tmp_path), "--host", "0.0.0.0", "--port", "0"]
    program = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE)
    _, told = await program.communicate()
    assert program.returncode == 2
    assert b"--device-tls" in told
    missing = [*words, "--device-tls", str(tmp_path / "none")]
    program = await asyncio.create_subprocess_exec(*missing, stderr=asyncio.subprocess.PIPE)
    _, told = await program.communicate()
    assert (program.returncode, b"server-certificate" in told) == (2, True)
