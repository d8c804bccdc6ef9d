"""The panel's page and sockets over real HTTP, with a paper device behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from aiohttp import ClientWebSocketResponse, WSServerHandshakeError
from aiohttp.test_utils import TestClient, TestServer

from edge.ports import FRAME_BYTES, SILENT_FRAME
from simulators.panel import make_panel
from tests.simulators.paper_device import PaperDevice

CONTROLLER = "http://127.0.0.1:8080"


@pytest.fixture
def device() -> PaperDevice:
    return PaperDevice()


@pytest.fixture
async def client(device: PaperDevice) -> AsyncIterator[TestClient]:
    mute = PaperDevice("d-31498-02", full_sound=False)
    app = make_panel({one.device: one for one in (device, mute)}, framers=(CONTROLLER,))
    async with TestClient(TestServer(app)) as made:
        yield made


def _own(client: TestClient) -> dict[str, str]:
    return {"Origin": str(client.make_url("/").origin())}


async def _line(client: TestClient, device: PaperDevice) -> ClientWebSocketResponse:
    return await client.ws_connect(f"/panel/{device.device}/line", headers=_own(client))


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.005)


async def test_page_speaks_vietnamese_first(client: TestClient, device: PaperDevice) -> None:
    page = await (await client.get(f"/panel/{device.device}")).text()
    assert "Giữ để nói" in page
    page = await (await client.get(f"/panel/{device.device}?lang=en")).text()
    assert "Hold to talk" in page


async def test_page_may_be_framed_by_controller_only(client: TestClient, device: PaperDevice) -> None:
    response = await client.get(f"/panel/{device.device}")
    policy = response.headers["Content-Security-Policy"]
    assert f"frame-ancestors 'self' {CONTROLLER}" in policy
    assert "script-src 'self';" in policy and "unsafe" not in policy
    assert "<script>" not in await response.text()


async def test_page_answers_own_name_only(client: TestClient) -> None:
    response = await client.get("/", headers={"Host": "evil.example"})
    assert response.status == 421


async def test_unknown_device_is_not_found(client: TestClient) -> None:
    assert (await client.get("/panel/d-nowhere")).status == 404


async def test_foreign_page_may_not_touch(client: TestClient, device: PaperDevice) -> None:
    for path in ("line", "listen"):
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect(f"/panel/{device.device}/{path}", headers={"Origin": "http://evil.example"})
        assert refused.value.status == 403
    assert not device.touched


async def test_line_shows_changes(client: TestClient, device: PaperDevice) -> None:
    line = await _line(client, device)
    assert (await line.receive_json())["powered"] is True
    device.become(powered=False)
    assert (await line.receive_json())["powered"] is False
    await line.close()


async def test_every_touch_arrives(client: TestClient, device: PaperDevice) -> None:
    line = await _line(client, device)
    for message in (
        {"act": "key", "on": True},
        {"act": "talk", "on": True, "source": "recording"},
        {"act": "talk", "on": False},
        {"act": "stop"},
        {"act": "message", "number": 2},
        {"act": "network", "to": "half_open"},
        {"act": "power", "on": False},
        {"act": "computer", "on": False},
        {"act": "station", "to": "foreign"},
        {"act": "stick"},
    ):
        await line.send_json(message)
    await _until(lambda: device.touched[-1:] == ["stick"])
    assert device.touched == [
        "key True",
        "talk recording",
        "release",
        "stop",
        "message 2",
        "network half_open",
        "power False",
        "hung True",
        "station foreign",
        "stick",
    ]
    await line.close()


async def test_nonsense_touches_nothing(client: TestClient, device: PaperDevice) -> None:
    line = await _line(client, device)
    nonsense = ["{", "[]", '{"act":"fly"}', '{"act":"network","to":"mars"}', '{"act":"talk"}']
    nonsense += [f'{{"act":"message","number":{one}}}' for one in ("0", "4", "-1", "1e999", '"one"', "null", "[]")]
    for text in nonsense:
        await line.send_str(text)
    await line.send_json({"act": "stop"})
    await _until(lambda: bool(device.touched))
    assert device.touched == ["stop"]
    await line.close()


async def test_voice_goes_in_only_while_pressed(client: TestClient, device: PaperDevice) -> None:
    line = await _line(client, device)
    voice = bytes(range(256)) * (FRAME_BYTES // 256) + bytes(FRAME_BYTES % 256)
    await line.send_bytes(SILENT_FRAME)
    await line.send_json({"act": "talk", "on": True, "source": "browser"})
    await line.send_bytes(voice)
    await line.send_bytes(b"short")
    await line.send_json({"act": "talk", "on": False})
    await line.send_bytes(SILENT_FRAME)
    await line.send_json({"act": "stop"})
    await _until(lambda: "stop" in device.touched)
    assert device.heard == [voice]
    await line.close()


async def test_closed_page_lets_button_go(client: TestClient, device: PaperDevice) -> None:
    line = await _line(client, device)
    await line.send_json({"act": "talk", "on": True, "source": "browser"})
    await _until(lambda: bool(device.touched))
    await line.close()
    await _until(lambda: device.touched == ["talk browser", "release"])


async def test_listener_hears_frames(client: TestClient, device: PaperDevice) -> None:
    socket = await client.ws_connect(f"/panel/{device.device}/listen", headers=_own(client))
    device.frames.put_nowait(b"\1\2" * 960)
    assert await socket.receive_bytes() == b"\1\2" * 960
    await socket.close()
    await _until(lambda: device.listeners == 0)


async def test_mute_device_says_so(client: TestClient) -> None:
    page = await (await client.get("/panel/d-31498-02")).text()
    assert 'id="listen"' not in page
    with pytest.raises(WSServerHandshakeError) as refused:
        await client.ws_connect("/panel/d-31498-02/listen", headers=_own(client))
    assert refused.value.status == 404
