"""A real agent obeys an emergency signed with a stolen key that never passed the controller: the page says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from controller.broker.keys import MQTT
from controller.keys import PUBLISHER
from edge.core.output import Rung
from protocol.topics import ALERT, unit_topic
from protocol.units import UnitPath
from simulators.air import plain_programmes
from simulators.device import SimDevice
from simulators.surroundings import Enrolled, Surroundings
from tests.controller.devices.pretend import enrol, until
from tests.controller.running import KE_SACH, Person, RunningController
from tests.controller.signing.authorities import Ceremony, post
from tests.controller.transparency.conftest import alert, english

pytestmark = pytest.mark.slow


@pytest.fixture
async def technician(controller: RunningController, ceremony: Ceremony) -> Person:
    return await english(controller, "technician")


@pytest.fixture
async def agent(controller: RunningController, technician: Person, tmp_path: Path) -> AsyncIterator[SimDevice]:
    token = await enrol(technician)
    address = controller.app[MQTT].address
    assert address is not None
    around = Surroundings(
        controller_url=controller.origin,
        mqtt_host=address.host,
        mqtt_port=address.port,
        anchor=controller.config.data / "anchor.json",
        data=tmp_path / "devices",
        heartbeat_ms=500,
    )
    enrolled = Enrolled("ke-sach-01", UnitPath(f"{KE_SACH}/ke-sach-01"), "Ấp Ninh Thới", token)
    device = SimDevice(enrolled, around, programmes=plain_programmes())
    await device.open()
    await device.wait_state(lambda state: state.link_up and bool(state.trust.grants), within_s=10)
    yield device
    await device.close()


async def test_alert_behind_the_controllers_back(
    controller: RunningController, ceremony: Ceremony, technician: Person, agent: SimDevice
) -> None:
    stolen, honest = alert(controller, ceremony.ke_sach, sequence=7), alert(controller, ceremony.ke_sach, sequence=8)
    await post(controller.stranger(), honest)
    await controller.app[PUBLISHER].publish(unit_topic(KE_SACH, ALERT), stolen.pack())
    found = await until(lambda: technician.call("GET", "/unlogged"), bool, within_s=15)
    assert [one["document"] for one in found] == [stolen.digest]
    assert agent.face().rung == Rung.EMERGENCY, "the device cannot know: the signature is right"
    text = await technician.see("/transparency")
    assert stolen.digest in text and "have a denial signed" in text and "ke-sach" in text
    assert honest.digest not in text
