"""Simulated devices without any controller: real agents on made-up boards, at their panels."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import ClientSession

from edge.core.output import Rung
from hardware.interfaces import Glow
from protocol import codec
from protocol.errors import DocumentError
from protocol.units import UnitPath
from simulators.air import FOREIGN_PI, PLAN, Air, plain_programmes
from simulators.device import SimDevice
from simulators.face import Face, NetworkWeather, StationWeather, StickState, TalkSource
from simulators.listening import find, level_cdb
from simulators.melody import melody
from simulators.surroundings import Enrolled, Surroundings
from simulators.village import Village, open_panels, open_village, read_village
from tests.edge.core.office import ANCHOR, COMMUNE

pytestmark = pytest.mark.slow
VOICE = melody(3, duration_ms=3000)
LIGHT = Enrolled("loa-1", UnitPath(f"{COMMUNE}/c01"), "Cụm loa ấp Một", "token")


@pytest.fixture
def surroundings(tmp_path: Path) -> Surroundings:
    anchor = tmp_path / "anchor.json"
    anchor.write_bytes(codec.encode(ANCHOR))
    return Surroundings("http://127.0.0.1:1", "127.0.0.1", 1, anchor, tmp_path / "devices")


@pytest.fixture
async def light(surroundings: Surroundings) -> AsyncIterator[SimDevice]:
    device = SimDevice(LIGHT, surroundings, programmes=plain_programmes())
    await device.open()
    yield device
    await device.close()


@pytest.fixture
async def loud(surroundings: Surroundings) -> AsyncIterator[SimDevice]:
    device = SimDevice(replace(LIGHT, full_sound=True), surroundings, programmes=plain_programmes(), recording=VOICE)
    await device.open()
    yield device
    await device.close()


async def _until(device: SimDevice, holds: Callable[[Face], bool]) -> Face:
    async with asyncio.timeout(10):
        while not holds(device.face()):
            await asyncio.sleep(0.02)
    return device.face()


async def _talking(device: SimDevice) -> None:
    await _until(device, lambda face: face.clock == "agreed")
    await device.talk(TalkSource.RECORDING)
    await _until(device, lambda face: face.amplifier and face.rung < Rung.SILENCE)


async def test_talk_button_works_without_network(light: SimDevice) -> None:
    await _talking(light)
    assert light.face().rung == Rung.MICROPHONE
    assert not light.face().linked
    await light.release()
    await _until(light, lambda face: face.rung == Rung.SILENCE and not face.talking)


async def test_key_makes_it_an_emergency(light: SimDevice) -> None:
    light.turn_key(True)
    await _talking(light)
    assert light.face().rung == Rung.EMERGENCY_MICROPHONE


async def test_message_button_without_message_is_answered_by_the_fault_lamp(light: SimDevice) -> None:
    await _until(light, lambda face: face.clock == "agreed")
    assert light.face().messages == (None, None, None)
    await light.press_message(2)
    face = await _until(light, lambda face: face.lamps.fault is Glow.BLINK)
    assert "message_missing" in face.faults
    assert face.lamps.on_air is Glow.OFF
    assert face.lamps.link is Glow.BLINK


async def test_voice_is_heard_from_the_horn(loud: SimDevice) -> None:
    began = loud.clock.now().wall
    await _talking(loud)
    with loud.listen() as frames:
        heard = [await anext(frames) for _ in range(120)]
    assert any(any(frame) for frame in heard)
    await asyncio.sleep(0.5)
    # What is said while the amplifier warms up is lost, as on any horn.
    found = find(VOICE[48_000:192_000], loud.board.horn.heard(began).samples)
    assert found.correlation > 0.9


async def test_pulled_plug_is_silent_at_once(loud: SimDevice) -> None:
    await _talking(loud)
    await asyncio.sleep(1)
    await loud.set_power(False)
    dark = loud.clock.now().wall
    assert loud.face() == Face(powered=False)
    await asyncio.sleep(0.5)
    assert level_cdb(loud.board.horn.heard(dark), dark, dark + 500) == -12_000


async def test_device_comes_back_after_power_cut(light: SimDevice) -> None:
    await _until(light, lambda face: face.clock == "agreed")
    boot = light.state.boot_id if light.state else ""
    await light.set_power(False)
    await light.set_power(True)
    await _until(light, lambda face: face.powered and face.clock == "agreed")
    assert light.state is not None and light.state.boot_id != boot


async def test_guardian_takes_over_from_a_computer_that_hangs(surroundings: Surroundings) -> None:
    guarded = SimDevice(replace(LIGHT, guarded=True), surroundings, programmes=plain_programmes())
    await guarded.open()
    try:
        await _until(guarded, lambda face: face.guardian == "computer")
        boot = guarded.state.boot_id if guarded.state else ""
        await guarded.set_hung(True)
        assert guarded.face().powered and guarded.face().hung
        await _until(guarded, lambda face: face.guardian == "silence")
        await guarded.press_message(1)
        await guarded.set_hung(False)
        await _until(guarded, lambda face: face.guardian == "computer" and face.clock == "agreed")
        assert guarded.state is not None and guarded.state.boot_id != boot
        await guarded.set_hung(True)
        await guarded.set_power(False)
        assert guarded.face() == Face(powered=False)
        await guarded.set_power(True)
        await _until(guarded, lambda face: not face.hung and face.guardian == "computer")
    finally:
        await guarded.close()


async def test_cut_line_stays_cut_over_power_cut(light: SimDevice) -> None:
    await light.set_network(NetworkWeather.CUT)
    await light.set_power(False)
    await light.set_power(True)
    assert light.face().network is NetworkWeather.CUT
    assert all(proxy.refusing for line in (light.network, light.web) for proxy in line.proxies)


async def test_stick_without_controller_fails_visibly(light: SimDevice) -> None:
    await light.plug_stick()
    assert light.face().stick is StickState.FAILED


async def test_foreign_station_is_the_stronger_one() -> None:
    air = Air(plain_programmes())
    frequency = PLAN[0].frequency_khz
    own = air.ether.strongest(frequency)
    assert own is not None and own.pi == PLAN[0].pi
    air.become(StationWeather.FOREIGN)
    foreign = air.ether.strongest(frequency)
    assert foreign is not None and foreign.pi == FOREIGN_PI
    air.become(StationWeather.OFF)
    assert air.ether.strongest(frequency) is None


async def test_whole_village_shows_its_panels(surroundings: Surroundings) -> None:
    cast = [replace(LIGHT, device=f"loa-{number}", place=UnitPath(f"{COMMUNE}/c{number:02}")) for number in range(8)]
    async with open_village(cast, surroundings) as village, open_panels(village, port=0) as port:
        assert isinstance(village, Village)
        await asyncio.gather(*(_until(one, lambda face: face.clock == "agreed") for one in village.devices.values()))
        async with ClientSession() as browser, browser.get(f"http://127.0.0.1:{port}/") as answer:
            page = await answer.text()
    assert page.count("/panel/loa-") == 8


def _file(tmp_path: Path, **changes: object) -> Path:
    device = {"device": "loa-1", "place": "vn/92/31528/c01", "name": "Ấp Một", "token": "t", "full_sound": True}
    settings = {
        "controller_url": "http://127.0.0.1:8080",
        "mqtt_host": "127.0.0.1",
        "mqtt_port": 18830,
        "anchor": "anchor.json",
        "data": "devices",
        "devices": [device],
    }
    path = tmp_path / "village.json"
    path.write_text(json.dumps({**settings, **changes}))
    return path


def test_village_file_says_who_lives_there(tmp_path: Path) -> None:
    enrolled, surroundings = read_village(_file(tmp_path))
    assert [(one.device, one.full_sound) for one in enrolled] == [("loa-1", True)]
    assert surroundings.anchor == tmp_path / "anchor.json"


def test_wrong_village_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="mqtt_port"):
        read_village(_file(tmp_path, mqtt_port="18830"))
