"""What comes over the connection for reports, cut into packets, whatever is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.broker import wire
from protocol.limits import REPORT_BYTES_MAX
from simulators.bench.bare_subscriber import packet, text

TOPIC = "loalang/v1/d/dev-1/up/status"


def publish(payload: bytes, *, number: int | None = 7) -> bytes:
    head = 0x30 if number is None else 0x32
    middle = b"" if number is None else number.to_bytes(2, "big")
    return packet(head, text(TOPIC) + middle + payload)


def read(data: bytes, *, step: int, bytes_max: int = 100) -> list[wire.Message]:
    packets = wire.Packets(bytes_max)
    pieces = (data[begin : begin + step] for begin in range(0, len(data), step))
    return [packets.message(one) for piece in pieces for one in packets.feed(piece)]


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_messages_however_they_are_cut(step: int) -> None:
    found = read(publish(b"one") + publish(b"", number=None) + publish(b"three", number=9), step=step)
    assert [one.payload for one in found] == [b"one", b"", b"three"]
    assert [one.number for one in found] == [b"\0\7", None, b"\0\11"]
    assert {one.topic for one in found} == {TOPIC}


@pytest.mark.parametrize("step", [50, 999, 10_000_000])
def test_a_giant_is_cut_off_and_the_next_one_read(step: int) -> None:
    giant = publish(b"x" * (2 * REPORT_BYTES_MAX + 70_000))
    found = read(giant + publish(b"next"), step=step)
    assert len(found[0].payload) == 101
    assert found[1].payload == b"next"


def test_a_giant_is_not_kept_while_it_comes() -> None:
    packets = wire.Packets(100)
    head = packet(0x32, b"")[:1] + b"\xff\xff\xff\x7f" + text(TOPIC) + b"\0\7"
    for _ in range(300):
        assert len(list(packets.feed(head + b"x" * 60_000))) <= 1
        head = b""
        assert len(packets._rest) <= packets._kept_max + 5


@pytest.mark.parametrize(
    "data",
    [
        b"\x32\xff\xff\xff\xff\x01",
        packet(0x32, b"\x00"),
        packet(0x32, b"\x00\x09abc"),
        packet(0x34, text(TOPIC) + b"\0\1x"),
        packet(0x30, b"\x00\x02\xff\xfe"),
    ],
)
def test_no_mqtt_is_refused(data: bytes) -> None:
    with pytest.raises(wire.WireError):
        read(data, step=100)


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_rubbish_is_read_or_refused(pieces: list[bytes]) -> None:
    packets = wire.Packets(50)
    try:
        for piece in pieces:
            for one in packets.feed(piece):
                packets.message(one)
    except wire.WireError:
        pass


def test_what_we_say_is_read_as_we_mean_it() -> None:
    told = wire.connect("me", keep_alive_s=20, username="who", password="pass")
    assert told == packet(0x10, text("MQTT") + b"\x04\xc0\x00\x14" + text("me") + text("who") + text("pass"))
    assert wire.connect("me", keep_alive_s=20, username=None, password=None)[9] == 0
    assert wire.subscribe(["a/#"]) == packet(0x82, b"\0\1" + text("a/#") + b"\1")
    assert wire.publish("a", b"x" * 200) == packet(0x30, text("a") + b"x" * 200)
    assert wire.acknowledge(b"\0\7") == b"\x40\x02\0\7"
