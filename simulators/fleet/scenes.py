"""What a fleet goes through, each scene with its figures.

Every instant is taken where the thing happens: in the process of the agent whose output was switched, or by the
controller's own database in which a report is stored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import psutil

from protocol.alert import Alert
from protocol.document import read
from simulators.bench.told import Value, spread
from simulators.fleet.cost import Cost
from simulators.fleet.crew import Crew
from simulators.fleet.ground import Ground
from simulators.fleet.town import ALERT_LIFE_MS, wall_now

SETTLED_S_MAX: Final = 1200.0
ALERTED_S_MAX: Final = ALERT_LIFE_MS / 1000 + 10
BACK_S_MAX: Final = 600.0
STORED_S_MAX: Final = 600.0
_LAST_WORDS_S: Final = 5.0
_PAGE: Final = "/"
_PAGE_EVERY_S: Final = 0.25
_LOOK_S: Final = 0.2

Figures = dict[str, Value]


def cost_of(ground: Ground, crew: Crew) -> Cost:
    """Of controller, broker and all agents together."""
    alone = {name: [process] for name, process in ground.processes().items()}
    return Cost({**alone, "agents": [psutil.Process(pid) for pid in crew.pids]})


async def connect(ground: Ground, crew: Crew, *, began_ns: int) -> Figures:
    """All come up, as after a power cut of the province: until each has its link, its grants and the time."""
    async with page_watch(ground) as pages:
        came = await crew.all_came("settled", within_s=SETTLED_S_MAX)
    await crew.calm()
    return {**spread("connect_", _seconds(came, began_ns), unit="s"), **spread("connect_page_", pages, digits=0)}


async def idle(ground: Ground, crew: Crew, *, window_s: float) -> Figures:
    """Nothing happens but heartbeats: what a device costs each process."""
    cost = cost_of(ground, crew)
    await asyncio.sleep(window_s)
    figures: Figures = {f"idle_{name}": value for name, value in (cost.percent() | cost.memory()).items()}
    for name in ("controller", "agents"):
        figures[f"{name}_kb_a_device"] = round(1024 * float(figures[f"idle_{name}_mb"]) / crew.count, 1)
        percent = float(figures[f"idle_{name}_cpu_percent"])
        figures[f"{name}_cpu_us_a_device_second"] = round(percent / 100 * 1e6 / crew.count, 1)
    return figures


async def emergency(ground: Ground, crew: Crew) -> list[float]:
    """One for everybody: milliseconds from the confirmed emergency to each agent's switch, sorted."""
    alert, cancel = ground.town.emergency()
    document = read(alert)
    assert isinstance(document, Alert), "an emergency"
    coming = asyncio.ensure_future(crew.all_came(f"alert-{document.id}", within_s=ALERTED_S_MAX))
    try:
        began_ns = await ground.post(alert, cancel)
        return [1000 * one for one in _seconds(await coming, began_ns)]
    finally:
        coming.cancel()


async def emergency_over() -> None:
    """It ends by itself, and its reports go up."""
    await asyncio.sleep(ALERT_LIFE_MS / 1000 + _LAST_WORDS_S)


async def storm(ground: Ground, crew: Crew, *, number: int) -> Figures:
    """The broker is killed and comes back having forgotten everything: until each link is up again.

    Args:
        number: which storm of this fleet it is, from 1.
    """
    assert ground.broker is not None, "the controller's own broker dies with the controller"
    await ground.broker.kill()
    began_ns = await ground.broker.start()
    cost = cost_of(ground, crew)
    async with page_watch(ground) as pages:
        back = await crew.all_came(f"up-{number}", within_s=BACK_S_MAX)
    figures: Figures = {
        **spread("back_", _seconds(back, began_ns), unit="s"),
        **spread("back_page_", pages, digits=0),
    }
    return figures | {f"back_{name}": value for name, value in cost.spent_s().items()}


async def schedule(ground: Ground, crew: Crew) -> Figures:
    """A new schedule with a new programme for everybody: until each has told that it is received, and ready."""
    envelope = ground.town.schedule()
    figures: Figures = {}
    async with page_watch(ground) as pages:
        began_ns = await ground.post(envelope)
        for standing, item in (("received", False), ("ready", True)):
            count = partial(ground.paper.stood, envelope.digest, standing, item=item)
            told, at_ns = await ground.paper.reached(count, crew.count, within_s=STORED_S_MAX)
            figures |= {f"schedule_{standing}": told, f"schedule_{standing}_s": _second(at_ns, began_ns)}
    return figures | spread("schedule_page_", pages, digits=0)


async def statuses(ground: Ground, crew: Crew) -> Figures:
    """How long until a status of each device that was sent from now on is stored: one heartbeat, when all is well."""
    began_ns, wall_ms = time.monotonic_ns(), wall_now()
    count = partial(ground.paper.seen_since, wall_ms)
    told, at_ns = await ground.paper.reached(count, crew.count, within_s=STORED_S_MAX)
    return {"statuses": told, "statuses_s": _second(at_ns, began_ns)}


async def day_offline(ground: Ground, crew: Crew, *, records: int, began_ns: int) -> Figures:
    """Each device brings the records of a day: until the controller has stored all, and no device keeps one.

    Args:
        records: of each device.
        began_ns: when the first was started.
    """
    wanted = records * crew.count
    async with page_watch(ground) as pages:
        stored, at_ns = await ground.paper.reached(ground.paper.as_run, wanted, within_s=STORED_S_MAX)
        kept = await _none_kept(crew)
    took_s = _second(at_ns, began_ns)
    told: Figures = {"day_records": wanted, "day_stored": stored, "day_stored_s": took_s, "day_kept": kept}
    return told | {"day_records_a_second": round(stored / took_s)} | spread("day_page_", pages, digits=0)


async def _none_kept(crew: Crew) -> int:
    """How many reports wait in outboxes when the controller's word has had its time."""
    until_s, kept = time.monotonic() + STORED_S_MAX, await crew.letters_waiting()
    while kept and time.monotonic() < until_s:
        await asyncio.sleep(_LOOK_S)
        kept = await crew.letters_waiting()
    return kept


@asynccontextmanager
async def page_watch(ground: Ground) -> AsyncIterator[list[float]]:
    """An officer opens a page again and again; the list grows with how many milliseconds each took."""
    took: list[float] = []

    async def look() -> None:
        while True:
            took.append(await ground.page_ms(_PAGE))
            await asyncio.sleep(_PAGE_EVERY_S)

    looking = asyncio.create_task(look(), name="an officer")
    try:
        yield took
    finally:
        failed = looking.done()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=not failed)


def _seconds(at_ns: Iterable[int], began_ns: int) -> list[float]:
    return [(one - began_ns) / 1e9 for one in at_ns]


def _second(at_ns: int, began_ns: int) -> float:
    return round((at_ns - began_ns) / 1e9, 2)
