"""The broker: sessions that outlive a connection, retained messages, acknowledgements, wills, and one of each name.

A model of what both real ones do, as far as `tests/contracts/test_link.py` and mosquitto's manual hold it: MQTT 3.1.1
with QoS 0 and 1. Inside the controller (amqtt with `controller/broker/embedded.py`) only alerts wait for who is away,
since parcels are retained anyway; mosquitto keeps everything, sends at most so many at a time without an answer, and
sends them again after a reconnect.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from protocol.topics import ALERT

INSIDE_WAITING_MAX: Final = 64
OUTSIDE_WAITING_MAX: Final = 1000
IN_FLIGHT_MAX: Final = 20
REFUSED: Final = 128


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        retained: it was kept from before.
    """

    topic: str
    payload: bytes
    qos: int = 1
    retained: bool = False


@dataclass(slots=True)
class Session:
    """What the broker knows of a client: filters with their QoS, what is not acknowledged, and what waits."""

    client: str
    clean: bool = False
    topics: dict[str, int] = field(default_factory=dict)
    connection: Connection | None = None
    in_flight: dict[int, Message] = field(default_factory=dict)
    waiting: deque[Message] = field(default_factory=deque)
    numbers: int = 0
    sending: bool = False


Deliver = Callable[[int, Message], None]
"""A number to acknowledge, 0 for none."""


class Connection:
    """One client's connection, at the broker's end."""

    def __init__(
        self, broker: Broker, session: Session, deliver: Deliver, ended: Callable[[], None], will: Message | None
    ) -> None:
        self._broker, self._session, self._deliver, self._ended, self._will = broker, session, deliver, ended, will
        self.open = True

    def resume(self) -> None:
        """The client knows that it is connected: what it has not acknowledged comes again, then what waited."""
        self._broker.send_waiting(self._session)

    def subscribe(self, topics: Iterable[tuple[str, int]]) -> list[int]:
        """Gives a code for each; what is retained there is sent at once."""
        codes = []
        for topic, qos in topics:
            codes.append(qos if self._broker.may_subscribe(self._session.client, topic) else REFUSED)
            if self.open and codes[-1] != REFUSED:
                self._session.topics[topic] = qos
                self._broker.forget_routes()
                for kept in self._broker.retained_at(topic):
                    self._broker.give(self._session, replace(kept, qos=qos))
        return codes

    def unsubscribe(self, topics: Iterable[str]) -> None:
        """No longer."""
        for topic in topics:
            self._session.topics.pop(topic, None)
        self._broker.forget_routes()

    def publish(self, message: Message, *, retain: bool = False) -> bool:
        """Whether the broker took it."""
        return self.open and self._broker.publish(message.topic, message.payload, retain=retain, qos=message.qos)

    def acknowledge(self, number: int) -> None:
        """The client has it."""
        if self.open and self._session.in_flight.pop(number, None) is not None:
            self._broker.send_waiting(self._session)

    def send(self, number: int, message: Message) -> None:
        """To the client."""
        self._deliver(number, message)

    def farewell(self) -> None:
        """The client says goodbye: no will."""
        self._will = None
        self.end()

    def lose(self) -> None:
        """The broker is gone: no will, and the client is told by its own system."""
        self.open = False
        self._ended()

    def end(self, *, tell: bool = False) -> None:
        """It has broken, or nobody has been heard for too long; with `tell` the client is told."""
        if not self.open:
            return
        self.open = False
        self._session.connection = None
        if tell:
            self._ended()
        self._broker.left(self._session)
        if self._will is not None:
            self._broker.publish(self._will.topic, self._will.payload, retain=True)


class Broker:
    """All clients of the province.

    Args:
        inside: it is the one inside the controller.

    Attributes:
        up: whether it runs.
        may_subscribe: what a client may listen to.
    """

    def __init__(self, *, inside: bool = False) -> None:
        self.inside = inside
        self.up = True
        self.retained: dict[str, Message] = {}
        self.sessions: dict[str, Session] = {}
        self.may_subscribe: Callable[[str, str], bool] = lambda client, topic: True
        self._routes: dict[str, tuple[tuple[Session, int], ...]] = {}
        self._watchers: list[Callable[[], None]] = []

    # Who is there.

    def connect(
        self,
        client: str,
        *,
        deliver: Deliver,
        ended: Callable[[], None],
        clean: bool = False,
        will: Message | None = None,
    ) -> Connection | None:
        """Opens a client's session and ends an older connection of that name. None while the broker is down."""
        if not self.up:
            return None
        former = self.sessions.get(client)
        if former is not None and former.connection is not None:
            former.connection.end(tell=True)
        session = None if clean else self.sessions.get(client)
        if session is None:
            session = self.sessions[client] = Session(client, clean)
            self.forget_routes()
        session.connection = made = Connection(self, session, deliver, ended, will)
        unanswered, session.in_flight = session.in_flight, {}
        session.waiting.extendleft(reversed(unanswered.values()))
        return made

    def left(self, session: Session) -> None:
        """A connection has ended."""
        if session.clean:
            if self.sessions.get(session.client) is session:
                del self.sessions[session.client]
                self.forget_routes()
        elif self.inside:
            kept = [one for one in (*session.in_flight.values(), *session.waiting) if _is_alert(one)]
            session.in_flight, session.waiting = {}, deque(kept[-INSIDE_WAITING_MAX:])

    def watch(self, told: Callable[[], None]) -> None:
        """Is called when it starts and when it stops."""
        self._watchers.append(told)

    def unwatch(self, told: Callable[[], None]) -> None:
        """No longer."""
        self._watchers.remove(told)

    # What is said.

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> bool:
        """Spreads a message; False while the broker is down."""
        if not self.up:
            return False
        if retain:
            if payload:
                self.retained[topic] = Message(topic, payload, 1, retained=True)
            else:
                self.retained.pop(topic, None)
        message, message_0 = Message(topic, payload, qos), Message(topic, payload, 0)
        for session, granted in self._routes.get(topic) or self._route(topic):
            self.give(session, message if granted else message_0)
        return True

    def _route(self, topic: str) -> tuple[tuple[Session, int], ...]:
        found = []
        for session in self.sessions.values():
            granted = [qos for wanted, qos in session.topics.items() if matches(topic, wanted)]
            if granted:
                found.append((session, max(granted)))
        self._routes[topic] = tuple(found)
        return self._routes[topic]

    def give(self, session: Session, message: Message) -> None:
        """Sends it to a client, now or when the client can take it."""
        connection = session.connection
        if connection is None:
            if message.qos and not session.clean and (not self.inside or _is_alert(message)):
                self._keep(session, message)
        elif not message.qos:
            connection.send(0, message)
        else:
            session.waiting.append(message)
            self.send_waiting(session)
            if len(session.waiting) > OUTSIDE_WAITING_MAX:
                session.waiting.pop()  # as in `_keep`

    def _keep(self, session: Session, message: Message) -> None:
        waiting = session.waiting
        if not self.inside and len(waiting) >= OUTSIDE_WAITING_MAX:
            return  # mosquitto drops what comes last, amqtt in our hands what came first
        waiting.append(message)
        if self.inside and len(waiting) > INSIDE_WAITING_MAX:
            waiting.popleft()

    def send_waiting(self, session: Session) -> None:
        """As many as may be under way at a time; an answer may come while the next one is sent."""
        if session.sending:
            return
        session.sending = True
        while session.waiting and (len(session.in_flight) < IN_FLIGHT_MAX or self.inside):
            if session.connection is None:
                break
            session.numbers += 1
            message = session.in_flight[session.numbers] = session.waiting.popleft()
            session.connection.send(session.numbers, message)
        session.sending = False

    def retained_at(self, wanted: str) -> list[Message]:
        """What is kept for a topic, or for all that match a filter."""
        if "+" in wanted or wanted.endswith("#"):
            return [kept for topic, kept in self.retained.items() if matches(topic, wanted)]
        return [self.retained[wanted]] if wanted in self.retained else []

    def forget_routes(self) -> None:
        """Somebody listens to something else now."""
        self._routes.clear()

    # Its own life.

    def stop(self) -> None:
        """It ends without a word: no wills; everybody's connection breaks."""
        self.up = False
        for session in tuple(self.sessions.values()):
            connection, session.connection = session.connection, None
            if connection is not None:
                connection.lose()
                self.left(session)
        self._tell()

    def start(self, *, with_memory: bool = True, with_retained: bool = True) -> None:
        """It runs again, with what it kept or without."""
        self.up = True
        if not with_memory:
            self.sessions.clear()
            self.forget_routes()
        if not (with_memory and with_retained):
            self.retained.clear()
        self._tell()

    def _tell(self) -> None:
        for told in tuple(self._watchers):
            told()


def _is_alert(message: Message) -> bool:
    return message.topic.endswith(f"/{ALERT}")


def matches(topic: str, wanted: str) -> bool:
    """Whether a topic is one of those that a filter means."""
    if topic == wanted:
        return True
    if "+" not in wanted and not wanted.endswith("#"):
        return False
    parts, names = topic.split("/"), wanted.split("/")
    for position, name in enumerate(names):
        if name == "#":
            return True
        if position >= len(parts) or name not in ("+", parts[position]):
            return False
    return len(parts) == len(names)
