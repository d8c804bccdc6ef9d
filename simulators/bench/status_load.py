"""Statuses of many devices, sent to a broker as fast as it takes them: QoS 1, a bounded number under way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from protocol import codec
from protocol.clock import WallMs
from protocol.report import InForce, Level, Status
from protocol.topics import up_topic
from simulators.bench.bare_subscriber import connect, packet, text
from simulators.fleet.names import PROVINCE, Resident

UNDER_WAY_MAX: Final = 500
_SILENCE_CDB: Final = -9_999
_QUIET_RUNG: Final = 9
_PUBLISH_QOS_1: Final = 0x32
_PUBACK_BYTES: Final = 4
_IDS: Final = 60_000


def status_of(one: Resident, wall: WallMs) -> bytes:
    """What a healthy, silent device tells: three documents in force, one second of level."""
    documents = tuple(InForce(PROVINCE, kind, 1, kind[:1] * 64) for kind in ("audible-config", "head", "schedule"))
    told = Status(
        device=one.device,
        unit=one.place,
        wall=wall,
        rung=_QUIET_RUNG,
        level_cdb=_SILENCE_CDB,
        clock="agreed",
        agent_version="0.1.0",
        boot_id="0123456789abcdef",
        media_held=3,
        media_wanted=3,
        in_force=documents,
        levels=(Level(wall, _QUIET_RUNG, _SILENCE_CDB),),
    )
    return codec.encode(told)


@dataclass(frozen=True, slots=True)
class Letter:
    """A topic as it goes over the wire, and what is said on it."""

    topic: bytes
    payload: bytes


def letters(residents: Sequence[Resident], *, rounds: int, begin: WallMs) -> list[Letter]:
    """Statuses of all in turn: the n-th of each device says `begin` plus n."""
    topics = [text(up_topic(one.device, Status)) for one in residents]
    return [
        Letter(topic, status_of(one, WallMs(begin + number)))
        for number in range(rounds)
        for topic, one in zip(topics, residents, strict=True)
    ]


async def send(host: str, port: int, load: Iterable[Letter]) -> None:
    """Publishes all of them; returns when the broker has acknowledged the last."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(connect("status-load"))
    await reader.readexactly(_PUBACK_BYTES)
    room = asyncio.Semaphore(UNDER_WAY_MAX)

    async def hear() -> None:
        rest = b""
        while data := await reader.read(65_536):
            found, left = divmod(len(rest) + len(data), _PUBACK_BYTES)
            rest = data[len(data) - left :] if left else b""
            for _ in range(found):
                room.release()

    hearing = asyncio.create_task(hear())
    for sent, one in enumerate(load, 1):
        await room.acquire()
        number = (sent % _IDS + 1).to_bytes(2, "big")
        writer.write(packet(_PUBLISH_QOS_1, one.topic + number + one.payload))
        if sent % UNDER_WAY_MAX == 0:
            await writer.drain()
    for _ in range(UNDER_WAY_MAX):
        await room.acquire()
    hearing.cancel()
    writer.close()
