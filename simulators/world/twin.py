"""A copied box: its card was cloned, so it connects under the name of another one and takes what was meant for it.

It obeys nobody here and tells nothing; what matters to the true box is that the two throw each other off the broker,
and that a message which the copy has acknowledged never comes to the true one by that path.
"""

from __future__ import annotations

import asyncio
import random
from typing import Final

from edge.backoff import Backoff
from edge.core.state import Identity
from protocol.topics import down_topics, online_topic
from simulators.world.broker import Broker, Connection, Message

_STABLE_S: Final = 60.0


class Twin:
    """Connects again and again, as patiently as a true box, until it leaves.

    Attributes:
        taken: how many messages it has acknowledged.
    """

    def __init__(self, identity: Identity, broker: Broker, chance: random.Random) -> None:
        self._identity, self._broker = identity, broker
        self._loop = asyncio.get_running_loop()
        self._backoff = Backoff(draw=chance.uniform)
        self._connection: Connection | None = None
        self._began_s = 0.0
        self._here = True
        self.taken = 0
        self._connect()

    def _connect(self) -> None:
        if not self._here:
            return
        name, self._began_s = self._identity.device, self._loop.time()
        will = Message(online_topic(name), b"0")
        self._connection = self._broker.connect(name, deliver=self._take, ended=self._thrown_off, will=will)
        if self._connection is None:
            self._loop.call_later(self._backoff.next_s(), self._connect)
            return
        self._connection.resume()
        self._connection.subscribe((topic, 1) for topic in down_topics(self._identity.place))
        self._connection.publish(Message(online_topic(name), b"1"), retain=True)

    def _take(self, number: int, message: Message) -> None:
        # In a turn of its own: the broker is still busy with sending.
        self._loop.call_soon(self._acknowledge, number)

    def _acknowledge(self, number: int) -> None:
        if number and self._connection is not None:
            self._connection.acknowledge(number)
            self.taken += 1

    def _thrown_off(self) -> None:
        self._connection = None
        if self._loop.time() - self._began_s > _STABLE_S:
            self._backoff.reset()
        self._loop.call_later(self._backoff.next_s(), self._connect)

    def leave(self) -> None:
        """Somebody has found it and pulled its plug."""
        self._here = False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.end()
