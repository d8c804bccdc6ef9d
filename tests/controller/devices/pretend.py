"""A device as the controller sees it: enrolled through the API, connected through the real broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiomqtt

from controller.app import present
from controller.broker.keys import MQTT
from protocol import codec
from protocol.clock import WallMs
from protocol.report import Level, Receipt, Report, Standing, Status
from protocol.topics import online_topic, up_topic
from protocol.units import UnitPath
from tests.controller.running import KE_SACH, Person, RunningController


@dataclass
class Pretend:
    """A connected device that says what a test wants."""

    id: str
    place: UnitPath
    client: aiomqtt.Client

    async def tell(self, report: Report) -> None:
        """Sends a report."""
        await self.client.publish(up_topic(self.id, type(report)), codec.encode(report), qos=1)

    async def tell_raw(self, kind: type[Report], payload: bytes) -> None:
        """Sends bytes where a report belongs."""
        await self.client.publish(up_topic(self.id, kind), payload, qos=1)

    def status(self, wall: int | None = None, **fields: Any) -> Status:
        """An ordinary status."""
        at = WallMs(present() if wall is None else wall)
        values: dict[str, Any] = {
            "rung": 9,
            "level_cdb": -12_000,
            "clock": "agreed",
            "agent_version": "1",
            "boot_id": "b1",
            "media_held": 0,
            "media_wanted": 0,
            "levels": (Level(at, 9, -12_000),),
        }
        return Status(self.id, self.place, at, **(values | fields))

    def receipt(self, document: str, standing: Standing, **fields: Any) -> Receipt:
        """An ordinary receipt."""
        at = WallMs(fields.pop("wall", None) or present())
        return Receipt(self.id, document, fields.pop("kind", "schedule"), standing, at, **fields)


async def enrol(person: Person, device: str = "ke-sach-01", unit: UnitPath = KE_SACH) -> str:
    """Takes in a device; gives its token."""
    body = {"id": device, "place": f"{unit}/{device}", "name": f"Ấp {device}"}
    made = await person.call("POST", "/devices", body, status=201)
    token: str = made["token"]
    return token


@asynccontextmanager
async def connected(
    controller: RunningController, token: str, device: str = "ke-sach-01", unit: UnitPath = KE_SACH
) -> AsyncIterator[Pretend]:
    """The device's connection."""
    address = controller.app[MQTT].address
    assert address is not None
    client = aiomqtt.Client(
        address.host,
        address.port,
        identifier=device,
        username=device,
        password=token,
        clean_session=False,
        will=aiomqtt.Will(online_topic(device), b"0", qos=1, retain=True),
    )
    async with client:
        await client.publish(online_topic(device), b"1", qos=1, retain=True)
        yield Pretend(device, UnitPath(f"{unit}/{device}"), client)


async def until(asked: Callable[[], Awaitable[Any]], wanted: Callable[[Any], bool], *, within_s: float = 3) -> Any:
    """Asks again until the answer is as wanted."""
    found = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                found = await asked()
                if wanted(found):
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not as wanted: {found}") from None
