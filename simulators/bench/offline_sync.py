"""Figure `offline-sync`: bytes and seconds to bring a device up to date over 64 kbit/s after some days offline.

A real agent that knows last week's schedule, a real controller and mosquitto, mutual TLS, one line of that width in
each direction for all connections together. Meanwhile there are a new schedule with one new programme of a minute for
each day, new rules, a fresh head every hour, and as-run records of the days that wait on the device.

documents_s, reports_s, media_s   from the agent's start until the broker has been told that the new schedule is
                                  obeyed, the last as-run record, that the last programme is ready; `start_s` until
                                  it is connected
mqtt_..., http_..._bytes          what TLS carried, without the heads of TCP and IP (about 3 in 100 more)
connections                       each is a TLS handshake
plain_...                         the same work without TLS and at full width, its bytes sorted by what they are for
idle_..._bytes_a_day              what the plain line carries when nothing happens, from a window of `--idle-s`
wasted_bytes                      parcels that came a second time by the second path

With `--peers`, curl brings the same programmes over such a line with the same certificates, in one process on one
connection; it brings nothing else. `ratio_curl` is `media_s` by its seconds.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Final

import aiomqtt

from controller.web.i18n import compile_catalogues
from protocol.bulletin import MediaRef
from protocol.clock import DAY_MS, DAY_S, WallMs
from protocol.report import AsRun, Receipt, Standing
from protocol.topics import DOC, ROOT
from simulators.absence import write_as_runs
from simulators.bad_line import Direction
from simulators.bench import told
from simulators.bench.byte_classes import ByteClasses
from simulators.bench.offline_peer import curl
from simulators.encoder import encode
from simulators.melody import melody
from simulators.real_town import HERE, RealAgent, RealTown, open_town
from simulators.town_office import wall_now

DAYS: Final = 7
KBIT_PER_S: Final = 64
RUNS_A_DAY: Final = 6
IDLE_S: Final = 110.0
_PROGRAMME_MS: Final = 60_000
_NAME: Final = "c07"
_WITHIN_S: Final = 3600.0
_SECOND_PATH_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class Absence:
    """What has happened meanwhile.

    Attributes:
        sounds: new programmes, as files.
    """

    days: int
    sounds: tuple[Path, ...]


async def measure(absence: Absence, *, kbit_per_s: int, idle_s: float, peers: Sequence[str], folder: Path) -> _Told:
    """All figures."""
    async with open_town(await _made(folder / "secure"), [_NAME]) as town:
        figures = await _come_back(town, absence, bytes_per_s=kbit_per_s * 125)
        if "curl" in peers:
            figures |= await curl(town, _NAME, _media(town, absence), bytes_per_s=kbit_per_s * 125)
            figures["ratio_curl"] = told.ratio(float(figures["media_s"]), float(figures["curl_s"]))
    async with open_town(await _made(folder / "plain"), [_NAME], secure=False) as town:
        plain = await _come_back(town, absence, bytes_per_s=None, classes=ByteClasses(), idle_s=idle_s)
    figures |= {name: size for name, size in plain.items() if name.startswith(("plain_", "idle_", "wasted_"))}
    return figures


_Told = dict[str, told.Value]


async def _made(folder: Path) -> Path:
    await asyncio.to_thread(folder.mkdir)
    return folder


async def _come_back(
    town: RealTown,
    absence: Absence,
    *,
    bytes_per_s: float | None,
    classes: ByteClasses | None = None,
    idle_s: float = 0.0,
) -> _Told:
    """The device is there, is away, and comes back."""
    await _former_life(town, absence.sounds[0])
    data = town.directory / _NAME / "data"
    runs = write_as_runs(data, _NAME, now=wall_now(), days=absence.days, a_day=RUNS_A_DAY)
    items = [
        town.office.item(media, WallMs(wall_now() + (number + 1) * DAY_MS))
        for number, media in enumerate(_media(town, absence))
    ]
    await town.hand_in(town.office.rules(), town.office.schedule(*items))
    await _hours_pass(town, count=absence.days * 24)
    began_s = time.monotonic()
    async with town.agent(_NAME, prepare=lambda agent: _watch(agent, bytes_per_s, classes)) as agent:
        figures: _Told = {}
        waits = {
            "start_s": agent.online,
            "documents_s": lambda: _obeyed(agent),
            "reports_s": lambda: {*runs} <= {one.id for one in town.ear.of(_NAME, AsRun)},
            "media_s": lambda: {one.id for one in items} <= agent.ready_items(),
        }

        async def wait(name: str) -> None:
            await town.ear.until(waits[name], within_s=_WITHIN_S)
            figures[name] = round(time.monotonic() - began_s, 1)

        await asyncio.gather(*map(wait, waits))
        await asyncio.sleep(_SECOND_PATH_S)
        figures |= _counted(agent, classes)
        if classes is not None:
            figures |= await _idle(agent, classes, idle_s)
        return {name: figures[name] for name in (*waits, *(name for name in figures if name not in waits))}


async def _former_life(town: RealTown, sound: Path) -> None:
    """An ordinary day before the link went: it knows a schedule and has its sound."""
    media = town.office.shelve(sound, duration_ms=_PROGRAMME_MS)
    await town.hand_in(town.office.schedule(town.office.item(media, WallMs(wall_now() + DAY_MS))))
    async with town.agent(_NAME, heartbeat_ms=1000) as agent:
        await agent.ready(media=1)
    town.ear.told.clear()


async def _hours_pass(town: RealTown, *, count: int) -> None:
    """Every hour the controller publishes each parcel anew, with a fresh head; here with the one it has."""
    async with aiomqtt.Client(HERE, town.inside_port, identifier="hours") as client:
        await client.subscribe(f"{ROOT}/u/+/+/+/{DOC}", qos=1)
        async with asyncio.timeout(10):
            parcel = await anext(aiter(client.messages))
        for _ in range(count):
            await client.publish(str(parcel.topic), parcel.payload, qos=1, retain=True)


def _media(town: RealTown, absence: Absence) -> list[MediaRef]:
    return [town.office.shelve(sound, duration_ms=_PROGRAMME_MS) for sound in absence.sounds[1:]]


def _watch(agent: RealAgent, bytes_per_s: float | None, classes: ByteClasses | None) -> None:
    agent.network.bytes_per_s = bytes_per_s
    if classes is not None:
        agent.network.proxies[0].observe, agent.network.proxies[1].observe = classes.mqtt, classes.http


def _obeyed(agent: RealAgent) -> bool:
    """Whether the new schedule was taken; the former one was, too, in another life."""
    return any(one.kind == "schedule" and one.standing is Standing.RECEIVED for one in agent.ear.of(_NAME, Receipt))


def _counted(agent: RealAgent, classes: ByteClasses | None) -> _Told:
    figures: _Told = {}
    for name, proxy in zip(("mqtt", "http"), agent.network.proxies, strict=True):
        figures |= {f"{name}_{way.value}_bytes": proxy.through(way) for way in Direction}
    figures["total_bytes"] = sum(agent.network.through(way) for way in Direction)
    figures["connections"] = len(agent.network.connections())
    if classes is not None:
        sorted_out = classes.told()
        figures = {f"plain_{name}": size for name, size in {**sorted_out, **figures}.items()}
        figures["wasted_bytes"] = sorted_out.get("http_poll_down_bytes", 0)
    return figures


async def _idle(agent: RealAgent, classes: ByteClasses, idle_s: float) -> _Told:
    """What a day of nothing costs, by what it is for."""
    if not idle_s:
        return {}
    before = classes.told()
    await asyncio.sleep(idle_s)
    spent = {name: size - before.get(name, 0) for name, size in classes.told().items()}
    a_day = {name: round(size * DAY_S / idle_s) for name, size in spent.items() if size}
    whole: _Told = {"idle_bytes_a_day": sum(a_day.values())}
    return whole | {f"idle_{name}_a_day": size for name, size in a_day.items()}


def main(argv: Sequence[str]) -> int:
    """Prints the figure."""
    parser = told.parser("offline-sync", __doc__, peers="curl brings the same programmes over such a line")
    parser.add_argument("--days", type=int, default=DAYS, help="offline, with a new programme for each")
    parser.add_argument("--kbit-per-s", type=int, default=KBIT_PER_S)
    parser.add_argument("--idle-s", type=float, default=IDLE_S, help="window in which nothing happens; 0: none")
    options = parser.parse_args(argv)
    if not 1 <= options.days <= 60 or not 8 <= options.kbit_per_s <= 100_000 or not 0 <= options.idle_s <= 3600:
        parser.error("1 to 60 days, 8 to 100,000 kbit/s, an idle hour at most")
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    lacking = {"curl": [] if which("curl") else ["curl"]} if options.peers else {}
    compile_catalogues()
    with tempfile.TemporaryDirectory(prefix="loalang-sync-") as name:
        folder = Path(name)
        sounds = (
            encode(melody(number, duration_ms=_PROGRAMME_MS), folder / f"{number}.opus")
            for number in range(options.days + 1)
        )
        absence = Absence(options.days, tuple(sounds))
        work = measure(
            absence,
            kbit_per_s=options.kbit_per_s,
            idle_s=options.idle_s,
            peers=told.present(lacking),
            folder=folder,
        )
        figures: _Told = {"days": options.days, "kbit_per_s": options.kbit_per_s}
        figures |= {"programme_bytes": sum(one.stat().st_size for one in absence.sounds[1:])}
        figures |= {"as_runs": options.days * RUNS_A_DAY} | asyncio.run(work)
    told.tell(figures | told.ground("aiohttp", "paho-mqtt"), as_json=options.json)
    return told.lack(lacking)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
