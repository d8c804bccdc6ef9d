"""The agent's real link over a made-up connection, in virtual time: silence, power cuts, portals, a copied box."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from functools import partial

from edge.core.events import EnvelopeReceived, LinkChanged, Route
from edge.core.state import Identity
from edge.ports import PortError
from protocol.grants import Anchor
from protocol.keys import SigningKey
from protocol.topics import ALERT, online_topic, unit_topic
from simulators.world.broker import Broker
from simulators.world.line import CUT, HALF_OPEN, Line, Trouble
from simulators.world.mqtt import Access, WorldLink
from simulators.world.twin import Twin
from tests.simulators.world.virtual import COMMUNE, PLACE, Listener, now_s, run

DEVICE = "d00000"
TOPIC = unit_topic(COMMUNE, ALERT)
HEARD = EnvelopeReceived(b"alert", Route.ALERT)


@dataclass
class House:
    """A broker, a line to it, and a device's link."""

    broker: Broker = field(default_factory=Broker)
    wills: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line = Line(random.Random(3))
        watch = self.broker.connect(
            "watch",
            deliver=lambda _, message: self.wills.append(now_s()) if message.payload == b"0" else None,
            ended=lambda: None,
            clean=True,
        )
        assert watch is not None
        watch.subscribe([(online_topic(DEVICE), 0)])

    def link(self) -> WorldLink:
        return WorldLink(Access(DEVICE, self.line, self.broker), PLACE)


def test_silence_is_noticed_within_two_keepalives() -> None:
    async def story() -> tuple[float, float]:
        house = House()
        listener = Listener(house.link())
        await asyncio.sleep(1000)
        began_s = now_s()
        house.line.begin(HALF_OPEN)
        await asyncio.sleep(100)
        return listener.times(LinkChanged(False))[0] - began_s, house.wills[0] - began_s

    noticed_s, will_s = run(story())
    assert noticed_s <= 60
    assert will_s <= 45


def test_pause_shorter_than_patience_ends_nothing() -> None:
    async def story() -> int:
        house = House()
        listener = Listener(house.link())
        await asyncio.sleep(1000)
        house.line.begin(HALF_OPEN)
        house.broker.publish(TOPIC, b"alert")
        await asyncio.sleep(14)
        house.line.end(HALF_OPEN)
        await asyncio.sleep(60)
        assert len(listener.times(HEARD)) == 1
        return len(listener.times(LinkChanged(False)))

    assert run(story()) == 0


def test_broker_that_hears_nothing_says_so() -> None:
    deaf = Trouble(up=True)

    async def story() -> float:
        house = House()
        listener = Listener(house.link())
        await asyncio.sleep(1000)
        began_s = now_s()
        house.line.begin(deaf)
        await asyncio.sleep(100)
        return listener.times(LinkChanged(False))[0] - began_s

    assert run(story()) <= 46


def test_alert_waits_for_a_box_without_power() -> None:
    async def story() -> tuple[float, list[float]]:
        house = House()
        link = house.link()
        first = Listener(link)
        await asyncio.sleep(1000)
        off_s = now_s()
        link.close()
        first.task.cancel()
        await asyncio.sleep(20)
        house.broker.publish(TOPIC, b"alert")
        await asyncio.sleep(100)
        second = Listener(house.link())
        await asyncio.sleep(10)
        return house.wills[0] - off_s, second.times(HEARD)

    will_s, heard = run(story())
    assert 15 <= will_s <= 45
    assert len(heard) == 1


def test_undecided_alert_comes_twice() -> None:
    async def story() -> int:
        house = House()
        listener = Listener(house.link())
        await asyncio.sleep(100)
        listener.busy.clear()
        house.broker.publish(TOPIC, b"alert")
        await asyncio.sleep(5)
        house.line.tear()
        listener.busy.set()
        await asyncio.sleep(30)
        return len(listener.times(HEARD))

    assert run(story()) == 2


def test_portal_is_no_broker() -> None:
    portal = Trouble(portal=True)

    async def story() -> tuple[int, int]:
        house = House()
        listener = Listener(house.link())
        await asyncio.sleep(100)
        house.line.begin(portal)
        await asyncio.sleep(3600)
        during = len(listener.times(LinkChanged(True)))
        house.line.end(portal)
        await asyncio.sleep(400)
        return during, len(listener.times(LinkChanged(True)))

    assert run(story()) == (1, 2)


def test_idle_link_costs_nothing() -> None:
    async def story() -> int:
        house = House()
        Listener(house.link())
        await asyncio.sleep(100)
        loop = asyncio.get_running_loop()
        before = loop.turns  # type: ignore[attr-defined]
        await asyncio.sleep(86_400)
        turns: int = loop.turns - before  # type: ignore[attr-defined]
        return turns

    assert run(story()) < 10


def test_report_under_way_fails_with_the_link() -> None:
    async def story() -> str:
        house = House()
        link = house.link()
        Listener(link)
        await asyncio.sleep(100)
        house.line.begin(HALF_OPEN)
        sending = asyncio.ensure_future(link.publish("loalang/v1/d/d00000/up/status", b"{}"))
        asyncio.get_running_loop().call_later(2, partial(house.line.begin, CUT))
        try:
            await sending
        except PortError as error:
            return str(error)
        return "sent"

    assert run(story()) != "sent"


def test_copied_box_takes_what_it_acknowledges() -> None:
    async def story() -> tuple[int, int, int]:
        house = House()
        listener = Listener(house.link())
        await asyncio.sleep(1000)
        identity = Identity(DEVICE, PLACE, Anchor(COMMUNE, (SigningKey.generate().public,), 1, ()))
        twin = Twin(identity, house.broker, random.Random(5))
        await asyncio.sleep(0.01)
        house.broker.publish(TOPIC, b"alert")
        await asyncio.sleep(3600)
        twin.leave()
        await asyncio.sleep(400)
        fights = len(listener.times(LinkChanged(False)))
        up = listener.seen[-1][1] == LinkChanged(True)
        return len(listener.times(HEARD)), fights, up

    heard, fights, up = run(story())
    assert heard == 0
    assert 1 < fights < 200
    assert up
