"""The broker: retained messages, sessions that survive a connection, acknowledgements after the fact.

A model of what the agent's and the controller's links rely on: QoS 1, persistent sessions, one connection for each
client, a will.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_WAITING_MAX: Final = 64
Take = Callable[[str, bytes, bool], None]
"""A message: topic, payload, and whether it was kept from before."""


@dataclass(slots=True)
class Session:
    """What the broker knows of a client; `take` is None while it is away."""

    topics: tuple[str, ...] = ()
    take: Take | None = None
    hang_up: Callable[[], None] | None = None
    will: tuple[str, bytes] | None = None
    waiting: deque[tuple[str, bytes]] = field(default_factory=deque)


class Broker:
    """Attributes: up: whether it runs. retained, sessions: what it keeps."""

    def __init__(self) -> None:
        self.up = True
        self.retained: dict[str, bytes] = {}
        self.sessions: dict[str, Session] = {}

    def connect(
        self,
        client: str,
        topics: tuple[str, ...],
        *,
        take: Take,
        hang_up: Callable[[], None],
        will: tuple[str, bytes] | None = None,
    ) -> bool:
        """Opens a client's session; an older connection of the same client ends. False while the broker is down."""
        if not self.up:
            return False
        session = self.sessions.setdefault(client, Session())
        if session.hang_up is not None:
            self.leave(client, session.hang_up)
        session.topics, session.take, session.hang_up, session.will = topics, take, hang_up, will
        for topic in topics:
            if topic in self.retained:
                take(topic, self.retained[topic], True)
        while session.waiting:
            take(*session.waiting.popleft(), False)
        return True

    def leave(self, client: str, connection: Callable[[], None]) -> None:
        """A connection ended without a farewell; nothing when it is no longer the client's."""
        session = self.sessions.get(client)
        if session is None or session.hang_up is not connection:
            return
        session.take = session.hang_up = None
        connection()
        if session.will is not None:
            self.publish(*session.will, retain=True)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """Spreads a message; False while the broker is down."""
        if not self.up:
            return False
        if retain:
            self.retained[topic] = payload
        for session in tuple(self.sessions.values()):
            if not any(_matches(topic, one) for one in session.topics):
                continue
            if session.take is not None:
                session.take(topic, payload, False)
            elif topic.endswith("/alert"):
                session.waiting.append((topic, payload))
                if len(session.waiting) > _WAITING_MAX:
                    session.waiting.popleft()
        return True

    def stop(self) -> None:
        """It ends; everybody notices."""
        self.up = False
        for session in self.sessions.values():
            hang_up, session.take, session.hang_up = session.hang_up, None, None
            if hang_up is not None:
                hang_up()

    def start(self, *, with_memory: bool = True) -> None:
        """It runs again, with what it kept or without."""
        self.up = True
        if not with_memory:
            self.retained.clear()
            self.sessions.clear()


def _matches(topic: str, wanted: str) -> bool:
    return topic.startswith(wanted[:-1]) if wanted.endswith("#") else topic == wanted
