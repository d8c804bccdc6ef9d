"""Endless, garbled and flooding brokers: they may silence a line, but not fill or wedge a device."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from protocol.document import Kind
from protocol.errors import Refusal
from protocol.topics import ALERT, DOC, LIVE, unit_topic
from simulators.attacker import raw_parcel
from simulators.attacker_broker import publish_packet
from tests.attacks.enduring import little_memory, obeys_by_poll
from tests.attacks.offices import COMMUNE, STRANGER, seal
from tests.attacks.scene import Scene

MB: Final = 1024 * 1024

# The broker.


def endless_packet() -> bytes:
    """The beginning of a message of 256 MB."""
    return b"\x32" + b"\xff\xff\xff\x7f" + len(b"x/alert").to_bytes(2, "big") + b"x/alert\0\1"


async def test_endless_packet(scene: Scene) -> None:
    """one MQTT message of 256 MB that comes and comes — the line is dropped, the other path brings the emergency."""
    connections = scene.attacker.broker.connections
    with little_memory():
        scene.attacker.broker.send_raw(endless_packet())
        for _ in range(64):
            scene.attacker.broker.send_raw(bytes(MB))
            await asyncio.sleep(0.05)
        await obeys_by_poll(scene)
    await asyncio.sleep(120)
    assert scene.attacker.broker.connections > connections, "the device still listens to a line that will never end"
    await scene.still_obeys()


async def test_endless_packet_a_byte_a_second(scene: Scene) -> None:
    """the same a byte a second — the line is held up, the emergency comes by the other path."""
    scene.attacker.broker.send_raw(endless_packet())
    for _ in range(10):
        scene.attacker.broker.send_raw(b"\0")
        await asyncio.sleep(1)
    await obeys_by_poll(scene)


async def test_messages_never_released(scene: Scene) -> None:
    """large messages of the kind that waits for a release which never comes — they do not pile up in memory."""
    topic = unit_topic(COMMUNE, DOC)
    with little_memory():
        for number in range(1, 65):
            scene.attacker.broker.send_raw(publish_packet(topic, bytes(MB), qos=2, packet_id=number))
            await asyncio.sleep(0.02)
        await obeys_by_poll(scene)


GARBLED: dict[str, bytes] = {
    "topic with a wildcard": publish_packet("a/#/alert", b"x"),
    "topic that is not UTF-8": publish_packet(b"\xff\xfe/alert", b"x"),
    "topic of nothing": publish_packet("", b"x"),
    "topic longer than the packet": b"\x32\x05\xff\xffabc",
    "packet of a kind that does not exist": b"\xf2\x00",
    "length without end": b"\x32" + b"\xff" * 8,
    "acknowledgement of nothing": b"\x40\x02\x77\x77" * 50,
    "refused subscription": b"\x90\x03\x00\x01\x80",
    "welcome in the middle": b"\x20\x02\x00\x05",
    "empty message": publish_packet(unit_topic(COMMUNE, ALERT), b""),
    "garbage": bytes(range(255, 0, -1)) * 20,
}


@pytest.mark.parametrize("way", GARBLED)
async def test_garbled_packets(scene: Scene, way: str) -> None:
    """packets that no broker would send — the line may end, the agent does not, and it comes back."""
    began, before = scene.wall, scene.speaker.on_disk()
    scene.attacker.broker.send_raw(GARBLED[way])
    await scene.speaker.silent_for(6, since_ms=began)
    assert scene.speaker.on_disk() == before
    await obeys_by_poll(scene)
    scene.attacker.broker.hang_up()
    await asyncio.sleep(1)
    await scene.attacker.until(lambda: scene.attacker.broker.lines > 0, within_s=400)
    await asyncio.sleep(2)
    await scene.still_obeys()


async def test_somebody_else_takes_over_my_name(scene: Scene) -> None:
    """the line is ended again and again, as when another comes with the same client id — the other path is enough."""
    async with _taken_over(scene):
        await obeys_by_poll(scene)
    await scene.attacker.until(lambda: scene.attacker.broker.lines > 0, within_s=400)
    await asyncio.sleep(2)
    await scene.still_obeys()


class _taken_over:
    """Every line ends as soon as it stands."""

    def __init__(self, scene: Scene) -> None:
        self._broker = scene.attacker.broker

    async def __aenter__(self) -> None:
        self._broker.greeting = lambda line: line.transport.abort()
        self._broker.hang_up()

    async def __aexit__(self, *_: object) -> None:
        self._broker.greeting = lambda _: None


async def test_parcels_flood_while_an_emergency_comes(scene: Scene) -> None:
    """a hundred of the largest parcels, then a true emergency behind them — it overtakes them all."""
    forged = [seal(Kind.SCHEDULE, scene.offices.schedule(version=100 + n), STRANGER).pack() for n in range(60)]
    parcel = raw_parcel(COMMUNE, forged)
    for _ in range(100):
        scene.attacker.on_topic(DOC, parcel)
    await scene.still_obeys()
    assert {why for told in scene.attacker.refusals().values() for why in told} == {Refusal.UNKNOWN_KEY}


RETAINED: dict[str, list[tuple[str, bytes]]] = {
    "corrupt": [(unit_topic(COMMUNE, DOC), b"\0\xff{" * 100)],
    "huge": [(unit_topic(COMMUNE, leaf), bytes(2 * MB)) for leaf in (DOC, ALERT, LIVE)] * 4,
    "nothing": [(unit_topic(COMMUNE, DOC), b"")],
    "thousands": [(unit_topic(COMMUNE, ALERT), b"%d" % number) for number in range(2000)],
}


@pytest.mark.parametrize("way", RETAINED)
async def test_retained_at_every_connection(scene: Scene, way: str) -> None:
    """corrupt, huge and countless retained messages at every connection — the stored rules and schedule stay."""
    before = scene.speaker.on_disk()
    scene.attacker.broker.retained = RETAINED[way]
    await scene.speaker.cut_power()
    began = scene.wall
    await scene.boot()
    await scene.speaker.wait_state(lambda state: state.link_up and state.clock.agreed is not None)
    await asyncio.sleep(5)
    await scene.speaker.silent_for(3, since_ms=began)
    assert scene.speaker.on_disk() == before
    await scene.still_obeys()
