"""A story for `test_far_line`: runs within the office's network namespace, prints what was seen as one JSON object.

`python -m tests.faults.far_story STORY OFFICE DEVICE OFFICE-END DEVICE-END DIRECTORY`
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from protocol.clock import WallMs
from simulators.captive_portal import CaptivePortal
from simulators.encoder import encode
from simulators.lying_names import LyingNames
from simulators.melody import melody
from simulators.namespaces import OFFICE_ADDRESS, OTHER_ADDRESS, FarLine
from simulators.real_town import RealAgent, RealTown, open_town
from simulators.town_office import wall_now

KBIT_PER_S = 64
QUEUE_BYTES = 200_000
"""An operator's queue is deep: what it holds is 25 s of this line."""
NAME = "c01"
HOST_NAME = "controller.example"
Seen = dict[str, Any]


async def thin(town: RealTown, line: FarLine) -> Seen:
    """A download fills the line, then an emergency comes, then the line dies without a word and comes back."""
    async with town.agent(NAME, **straight(town)) as agent:
        await agent.ready()
        line.narrow(kbit_per_s=KBIT_PER_S, queue_bytes=QUEUE_BYTES)
        sound = await asyncio.to_thread(encode, melody(2, duration_ms=40_000), town.directory / "long.opus")
        media = town.office.shelve(sound, duration_ms=40_000)
        later = WallMs(wall_now() + 3_600_000)
        await town.hand_in(town.office.schedule(town.office.item(media, later, device=NAME)))
        part = agent.folder / "data" / "media" / f"{media.digest}.part"
        await until(lambda: size(part) > 30_000)
        seen: Seen = {"emergency_ms": await emergency(town, agent)}
        before = size(part)
        line.lose(True)
        await until(lambda: "no link to the broker" in agent.log)
        line.widen()
        line.lose(False)
        await town.ear.until(lambda: bool(agent.ready_items()), within_s=60)
        return seen | {"part_bytes": before, "ready": True}


async def emergency(town: RealTown, agent: RealAgent) -> int:
    """How long after it was handed in the device began to sound, by the clock that both share."""
    began = wall_now()
    await town.hand_in(*town.office.emergency())
    await town.ear.until(agent.has_sounded, within_s=60)
    return next(one.wall for one in agent.receipts() if one.standing == "sounding") - began


async def names(town: RealTown, _: FarLine) -> Seen:
    """The name leads to somebody's portal first, and to the controller later."""
    portal_ports = (town.mqtt_port, town.device_port)
    web, mqtt = (CaptivePortal(town.directory, address=OTHER_ADDRESS, port=port) for port in portal_ports)
    async with LyingNames(OFFICE_ADDRESS, OTHER_ADDRESS) as server, web, mqtt:
        url = {"controller_url": f"https://{HOST_NAME}:{town.device_port}", "mqtt_host": HOST_NAME}
        async with town.agent(NAME, **(straight(town) | url)) as agent:
            await until(lambda: web.handshakes > 0 and mqtt.handshakes > 0)
            fooled = agent.online() or bool(agent.receipts())
            server.address = OFFICE_ADDRESS
            await agent.ready()
            return {"fooled": fooled, "said": len(web.asked) + len(mqtt.asked), "asked": server.asked, "ready": True}


def straight(town: RealTown) -> dict[str, object]:
    """Without a proxy between."""
    return town.device_file(NAME) | {"keepalive_s": 1, "heartbeat_ms": 1000}


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def until(holds: Callable[[], bool], *, within_s: float = 30.0) -> None:
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.05)


STORIES: dict[str, Callable[[RealTown, FarLine], Awaitable[Seen]]] = {"thin": thin, "names": names}


async def main(story: str, office: str, device: str, here: str, there: str, directory: str) -> Seen:
    """Opens the town on the office's end of the line."""
    line = FarLine(office, device, (here, there))
    before = line.within(device)
    async with open_town(Path(directory), [NAME], host=OFFICE_ADDRESS, before=before) as town:
        return await STORIES[story](town, line)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
