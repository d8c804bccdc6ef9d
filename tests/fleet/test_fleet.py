"""A thousand real agents against a real controller and a broker that dies: everybody comes, nothing is lost."""

from __future__ import annotations

import shutil
import time

import pytest

from simulators.fleet import scenes
from simulators.fleet.ground import ground
from simulators.fleet.mosquitto import BrokerLackingError, program
from tests.component import need

DEVICES = 1_000
RECORDS = 5
PAGE_MS_MAX = 20_000
"""A page that takes longer is one that an officer gives up; speed itself is for `script/bench`."""

pytestmark = pytest.mark.slow


def _mosquitto() -> bool:
    try:
        return bool(program())
    except BrokerLackingError:
        return False


@pytest.mark.timeout(300)
async def test_a_thousand_go_through_a_bad_day() -> None:
    need(_mosquitto(), "mosquitto")
    async with ground(DEVICES) as here:
        began_ns = time.monotonic_ns()
        async with here.fleet(DEVICES, "--at-once", "200", "--day-records", str(RECORDS)) as crew:
            came = await scenes.connect(here, crew, began_ns=began_ns)
            day = await scenes.day_offline(here, crew, records=RECORDS, began_ns=began_ns)
            assert (day["day_stored"], day["day_kept"]) == (RECORDS * DEVICES, 0)
            schedule = await scenes.schedule(here, crew)
            assert (schedule["schedule_received"], schedule["schedule_ready"]) == (DEVICES, DEVICES)
            back = await scenes.storm(here, crew, number=1)
            told = await scenes.emergency(here, crew)
            assert len(told) == DEVICES
            pages = [
                figures[name] for figures in (came, day, schedule, back) for name in figures if "page_max" in name
            ]
            assert all(float(one) < PAGE_MS_MAX for one in pages)


async def test_a_village_at_the_controllers_own_broker() -> None:
    async with ground(20, embedded=True) as here:
        began_ns = time.monotonic_ns()
        async with here.fleet(20, "--day-records", "3") as crew:
            await scenes.connect(here, crew, began_ns=began_ns)
            day = await scenes.day_offline(here, crew, records=3, began_ns=began_ns)
            assert (day["day_stored"], day["day_kept"]) == (60, 0)
            assert len(await scenes.emergency(here, crew)) == 20


@pytest.mark.figure
async def test_figures_are_told_of_a_small_fleet() -> None:
    need(_mosquitto(), "mosquitto")
    from simulators.bench import alert_fanout, ingest

    stored = await ingest.measure(10, 100, rounds=1, peers=True)
    assert stored["lost"] == 0
    assert float(stored["statuses_a_second"]) > 0
    peers = shutil.which("nats-server") is not None
    fanned = await alert_fanout.measure(10, rounds=1, agents=False, peers=peers)
    assert float(fanned["controller_path_last_ms"]) > 0
    assert ("nats_last_ms" in fanned) == peers
