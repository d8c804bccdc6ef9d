"""What design/behaviour.md, section 3, promises while the line is bad: real agents behind real faults.

The faults of one story run on several devices at the same time, since each of them mostly waits.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from protocol.clock import WallMs
from protocol.report import LEVEL_SILENCE_CDB, EndReason
from simulators.absence import write_as_runs
from simulators.bad_line import Direction
from simulators.captive_portal import CaptivePortal
from simulators.network import Network
from simulators.real_town import RealAgent, RealTown
from simulators.town_office import wall_now

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

KEEPALIVE_S = 1
QUICK = {"keepalive_s": KEEPALIVE_S, "heartbeat_ms": 1000}
NOTICED_S = 2 * KEEPALIVE_S + 1.5
"""Two keepalives, and what a busy machine takes to look."""
SIM_BYTES_PER_S = 8000
"""64 kbit/s."""
Act = Callable[[Network], None]


def drip(network: Network) -> None:
    network.drip_s = 0.05


def only_up(network: Network) -> None:
    network.one_way(Direction.DOWN)


def only_down(network: Network) -> None:
    network.one_way(Direction.UP)


def mend(network: Network) -> None:
    """Whatever it was."""
    network.improve()
    network.restore()


def silent(network: Network) -> bool:
    """Whether the device has given up what was open at the broker."""
    return all(one.device_left or one.ended_s for one in network.proxies[0].connections)


async def until(holds: Callable[[], bool], *, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.02)


async def test_boots_behind_any_fault_and_is_ready_when_it_is_gone(
    town: RealTown, fresh: Iterator[str], tmp_path: Path
) -> None:
    """Cut off, a SIM out of credit, a line that drips, and a captive portal, which is never taken for ours."""

    async def boot(fault: Act) -> None:
        async with town.agent(next(fresh), **QUICK) as agent:
            fault(agent.network)
            await until(
                lambda: "no link to the broker" in agent.log or bool(agent.network.connections()), within_s=15
            )
            await asyncio.sleep(1.5)
            assert not agent.online() and not agent.receipts()
            mend(agent.network)
            await agent.ready()

    async with CaptivePortal(tmp_path) as portal:
        faults: list[Act] = [Network.cut, Network.half_open, drip, partial(Network.capture, portal_port=portal.port)]
        await asyncio.gather(*(boot(fault) for fault in faults))
    assert portal.handshakes >= 2, "broker and controller were both asked for there"
    assert not portal.asked, "nothing was said to somebody without our certificate"


async def test_dead_line_is_noticed_within_two_keepalives(town: RealTown, fresh: Iterator[str]) -> None:
    async def notice(fault: Act) -> None:
        async with town.agent(next(fresh), **QUICK) as agent:
            await agent.ready()
            loop = asyncio.get_running_loop()
            fault(agent.network)
            began_s = loop.time()
            await until(lambda: silent(agent.network), within_s=15)
            assert loop.time() - began_s < NOTICED_S
            seen = len(town.ear.told)
            agent.network.restore()
            await town.ear.until(lambda: (agent.name, True) in town.ear.told[seen:], within_s=20)

    await asyncio.gather(*(notice(fault) for fault in (Network.half_open, only_up, only_down)))


async def test_programmes_go_on_through_every_fault(
    town: RealTown, fresh: Iterator[str], short: Path, tmp_path: Path
) -> None:
    """And afterwards everything is told: what sounded meanwhile, and what waited before, each once."""
    names = [next(fresh), next(fresh)]
    media = town.office.shelve(short, duration_ms=1000)
    waited = {
        name: write_as_runs(town.directory / name / "data", name, now=wall_now(), days=3, a_day=20) for name in names
    }
    async with CaptivePortal(tmp_path) as portal, AsyncExitStack() as stack:
        agents = [await stack.enter_async_context(town.agent(name, **QUICK)) for name in names]
        await asyncio.gather(*(agent.ready() for agent in agents))
        starts = [WallMs(wall_now() + 3000 + 1300 * number) for number in range(3)]
        await town.hand_in(town.office.schedule(*(town.office.item(media, *starts, device=name) for name in names)))
        await town.ear.until(lambda: all(agent.ready_items() for agent in agents))
        captured: Act = partial(Network.capture, portal_port=portal.port)
        lines: tuple[tuple[Act, Act], ...] = (
            (Network.cut, drip),
            (Network.half_open, only_down),
            (captured, only_up),
        )
        for start, acts in zip(starts, lines, strict=True):
            await asyncio.sleep(max(0, start - 400 - wall_now()) / 1000)
            for agent, act in zip(agents, acts, strict=True):
                mend(agent.network)
                act(agent.network)
        await asyncio.sleep(max(0, starts[-1] + 1500 - wall_now()) / 1000)
        for agent in agents:
            mend(agent.network)
        await asyncio.gather(*(told(town, agent, starts) for agent in agents))
        for name in names:
            count = len(starts) + len(waited[name])
            await until(partial(all_stored, town, name, count), within_s=20)
    for name in names:
        log = stored(town, name)
        assert set(waited[name]) <= set(log)
        assert set(log.values()) == {1} and len(log) == len(starts) + len(waited[name])


def all_stored(town: RealTown, device: str, count: int) -> bool:
    return len(stored(town, device)) >= count


async def told(town: RealTown, agent: RealAgent, starts: Sequence[WallMs]) -> None:
    """Each start was heard, whole, and measured."""
    await town.ear.until(lambda: {*starts} <= {one.start for one in agent.as_runs()}, within_s=40)
    heard = [one for one in agent.as_runs() if one.start in starts]
    assert {one.end_reason for one in heard} == {EndReason.COMPLETE}
    assert all(one.level_cdb > LEVEL_SILENCE_CDB / 2 for one in heard)


def stored(town: RealTown, device: str) -> Counter[str]:
    """How often the controller's log has each as-run record of a device."""
    database = sqlite3.connect(f"file:{town.office.data / 'controller.db'}?mode=ro", uri=True, timeout=10)
    try:
        return Counter(row[0] for row in database.execute("SELECT id FROM as_run WHERE device = ?", (device,)))
    finally:
        database.close()


async def test_a_thin_line_brings_the_emergency_first_and_the_rest_by_range(
    town: RealTown, fresh: Iterator[str], long: Path
) -> None:
    """On one line the emergency comes during a download; on another the download breaks; a third one loses a lot."""
    media = town.office.shelve(long, duration_ms=120_000)
    far = WallMs(wall_now() + 3_600_000)

    def narrow(network: Network) -> None:
        network.bytes_per_s = SIM_BYTES_PER_S

    def breaking(network: Network) -> None:
        network.reset_after_bytes = media.size_bytes * 2 // 3

    def lossy(network: Network) -> None:
        network.latency_ms, network.jitter_ms, network.loss = 100, 200, 0.1

    names = [next(fresh) for _ in range(3)]
    async with AsyncExitStack() as stack:
        agents = [await stack.enter_async_context(town.agent(name, **QUICK)) for name in names]
        thin, torn, lost = agents
        await asyncio.gather(*(agent.ready() for agent in agents))
        for agent, fault in zip(agents, (narrow, breaking, lossy), strict=True):
            fault(agent.network)
        before = torn.network.proxies[1].through(Direction.DOWN)
        await town.hand_in(town.office.schedule(*(town.office.item(media, far, device=name) for name in names[:2])))
        await until(lambda: thin.network.proxies[1].through(Direction.DOWN) > 20_000, within_s=15)
        await town.hand_in(*town.office.emergency())
        await town.ear.until(lambda: thin.has_sounded() and lost.has_sounded(), within_s=20)
        assert not thin.ready_items(), "the download was not waited for"
        await town.ear.until(lambda: bool(torn.ready_items()), within_s=30)
        brought = torn.network.proxies[1].through(Direction.DOWN) - before
    assert brought < media.size_bytes * 1.3, "what had come was not asked for again"
