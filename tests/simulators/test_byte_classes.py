"""The figure `offline-sync` sorts bytes: real packets into their classes, and rubbish without harm."""

from __future__ import annotations

import random

import pytest

from simulators.bad_line import Direction
from simulators.bench.byte_classes import ByteClasses
from simulators.fault_proxy import Connection

UP, DOWN = Direction.UP, Direction.DOWN


def publish(topic: str, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic.encode() + b"\0\1" + payload
    size, head = len(body), b"\x32"
    while size > 127:
        head, size = head + bytes([size % 128 | 128]), size // 128
    return head + bytes([size]) + body


def test_mqtt_is_sorted_by_packet_and_topic() -> None:
    classes, connection = ByteClasses(), Connection(0.0)
    parcel, record = publish("loalang/v1/u/vn/92/doc", bytes(300)), publish("loalang/v1/d/c07/up/as_run", b"{}")
    for at in range(0, len(parcel), 7):
        classes.mqtt(connection, DOWN, parcel[at : at + 7])
    classes.mqtt(connection, UP, record + b"\xc0\0" + b"\x40\2\0\1")
    assert classes.told() == {
        "mqtt_ack_up_bytes": 4,
        "mqtt_as_run_up_bytes": len(record),
        "mqtt_parcel_down_bytes": len(parcel),
        "mqtt_ping_up_bytes": 2,
    }


def test_answer_belongs_to_what_was_asked_last() -> None:
    classes, connection = ByteClasses(), Connection(0.0)
    classes.http(connection, UP, b"GET /device/v1/documents?wait=50 HTTP/1.1\r\n\r\n")
    classes.http(connection, DOWN, bytes(100))
    classes.http(connection, UP, b"GET /media/abc HTTP/1.1\r\n\r\n")
    classes.http(connection, DOWN, bytes(5000))
    assert classes.told()["http_poll_down_bytes"] == 100
    assert classes.told()["http_media_down_bytes"] == 5000


@pytest.mark.parametrize("seed", range(30))
def test_rubbish_is_refused_or_counted(seed: int) -> None:
    chance, classes, connection = random.Random(seed), ByteClasses(), Connection(0.0)
    for _ in range(50):
        data = chance.randbytes(chance.randrange(60))
        classes.http(connection, chance.choice((UP, DOWN)), data)
        try:
            classes.mqtt(Connection(0.0), DOWN, data)
        except ValueError:
            pass


def test_packet_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="without end"):
        ByteClasses().mqtt(Connection(0.0), DOWN, b"\x30\xff\xff\xff\x7f")
    with pytest.raises(ValueError, match="four bytes"):
        ByteClasses().mqtt(Connection(0.0), DOWN, b"\x30\xff\xff\xff\xff\x01")
