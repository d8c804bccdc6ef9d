"""The worlds' broker beyond the link's contract: what outlives a restart, what is dropped, how much is under way."""

from __future__ import annotations

import pytest

from simulators.world.broker import (
    IN_FLIGHT_MAX,
    INSIDE_WAITING_MAX,
    OUTSIDE_WAITING_MAX,
    Broker,
    Connection,
    Message,
    matches,
)

ALERT = "loalang/v1/u/vn/92/alert"
DOC = "loalang/v1/u/vn/92/doc"


class Client:
    """Takes messages, and acknowledges when it is asked to."""

    def __init__(self, broker: Broker, name: str = "d", *, clean: bool = False, topics: tuple[str, ...] = ()) -> None:
        self.came: list[tuple[int, Message]] = []
        self.ended = 0
        made = broker.connect(
            name,
            deliver=lambda number, message: self.came.append((number, message)),
            ended=self._end,
            clean=clean,
            will=Message("will", b"0"),
        )
        assert made is not None
        self.connection: Connection = made
        made.resume()
        made.subscribe((topic, 1) for topic in topics)

    def _end(self) -> None:
        self.ended += 1

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for _, message in self.came]

    def acknowledge(self) -> None:
        for number, _ in tuple(self.came):
            self.connection.acknowledge(number)


@pytest.mark.parametrize(("with_memory", "found"), [(True, [b"1"]), (False, [])])
def test_restart_keeps_the_queue_or_not(with_memory: bool, found: list[bytes]) -> None:
    broker = Broker()
    Client(broker, topics=(ALERT,)).connection.end()
    broker.publish(ALERT, b"1")
    broker.stop()
    broker.start(with_memory=with_memory)
    assert Client(broker).payloads == found


def test_retained_is_lost_without_sessions_being() -> None:
    broker = Broker()
    Client(broker, topics=(DOC,)).connection.end()
    broker.publish(DOC, b"parcel", retain=True)
    broker.stop()
    broker.start(with_retained=False)
    assert Client(broker).payloads == [b"parcel"], "it waited in the session"
    assert Client(broker, "other", topics=(DOC,)).payloads == []


def test_stopped_broker_sends_no_wills() -> None:
    broker = Broker()
    client = Client(broker)
    broker.stop()
    assert (client.ended, broker.retained) == (1, {})
    assert not broker.publish(ALERT, b"1")
    broker.start()
    Client(broker).connection.end()
    assert broker.retained["will"].payload == b"0"


def test_second_of_one_name_ends_the_first() -> None:
    broker = Broker()
    first = Client(broker, topics=(ALERT,))
    second = Client(broker)
    broker.publish(ALERT, b"1")
    assert (first.ended, first.payloads, second.payloads) == (1, [], [b"1"])


def test_unanswered_come_again_in_their_order() -> None:
    broker = Broker()
    first = Client(broker, topics=(ALERT,))
    for number in range(IN_FLIGHT_MAX + 5):
        broker.publish(ALERT, b"%d" % number)
    assert len(first.came) == IN_FLIGHT_MAX
    first.connection.acknowledge(first.came[0][0])
    assert len(first.came) == IN_FLIGHT_MAX + 1
    first.connection.end()
    second = Client(broker)
    second.acknowledge()
    second.acknowledge()
    assert second.payloads == [b"%d" % number for number in range(1, IN_FLIGHT_MAX + 5)]


@pytest.mark.parametrize(
    ("inside", "count", "first"), [(True, INSIDE_WAITING_MAX, b"936"), (False, OUTSIDE_WAITING_MAX, b"0")]
)
def test_queue_is_bounded(inside: bool, count: int, first: bytes) -> None:
    broker = Broker(inside=inside)
    Client(broker, topics=(ALERT,)).connection.end()
    for number in range(1000 + (0 if inside else 50)):
        broker.publish(ALERT, b"%d" % number)
    session = broker.sessions["d"]
    assert (len(session.waiting), session.waiting[0].payload) == (count, first)


def test_parcels_wait_for_nobody_inside() -> None:
    broker = Broker(inside=True)
    Client(broker, topics=(ALERT, DOC)).connection.end()
    broker.publish(DOC, b"parcel")
    broker.publish(ALERT, b"alert")
    assert Client(broker).payloads == [b"alert"]


def test_answers_while_sending_go_no_deeper() -> None:
    broker = Broker()
    Client(broker, topics=(ALERT,)).connection.end()
    for number in range(OUTSIDE_WAITING_MAX):
        broker.publish(ALERT, b"%d" % number)
    taken: list[bytes] = []

    def deliver(number: int, message: Message) -> None:
        taken.append(message.payload)
        assert made is not None
        made.acknowledge(number)

    made = broker.connect("d", deliver=deliver, ended=lambda: None)
    assert made is not None
    made.resume()
    assert len(taken) == OUTSIDE_WAITING_MAX


@pytest.mark.parametrize(
    ("topic", "wanted", "found"),
    [
        ("a/b/c", "a/b/c", True),
        ("a/b/c", "a/+/c", True),
        ("a/b/c", "a/#", True),
        ("a/b/c", "a/+", False),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b/d", False),
    ],
)
def test_filters_match_as_in_the_standard(topic: str, wanted: str, found: bool) -> None:
    assert matches(topic, wanted) is found
