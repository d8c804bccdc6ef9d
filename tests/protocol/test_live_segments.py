import struct
from typing import Any

import pytest

from protocol.errors import DocumentError, Refusal
from protocol.limits import LIVE_SEGMENT_BYTES_MAX
from protocol.live import LiveSegment, opus_packets, unpack_segment
from tests.protocol.people import C1

HEAD_BYTES = 28
SOUND = b"\x00\x03abc\x00\x01z"


def segment(**changed: Any) -> LiveSegment:
    made: dict[str, Any] = {
        "session_id": "0123456789abcdef" * 2,
        "counter": 7,
        "duration_ms": 40,
        "sound": SOUND,
        "signature": b"",
    }
    unsigned = LiveSegment(**made | changed)
    return LiveSegment(
        unsigned.session_id, unsigned.counter, unsigned.duration_ms, unsigned.sound, C1.sign(unsigned.signed_bytes())
    )


def refusal(data: bytes) -> Refusal:
    with pytest.raises(DocumentError) as caught:
        unpack_segment(data)
    return caught.value.refusal


def test_segment_survives_the_wire() -> None:
    made = segment()
    assert unpack_segment(made.pack()) == made
    assert len(made.pack()) == HEAD_BYTES + len(SOUND) + 64


def test_packets_of_a_segment() -> None:
    assert opus_packets(SOUND) == (b"abc", b"z")
    assert opus_packets(b"") == ()


@pytest.mark.parametrize("sound", [b"\x00", b"\x00\x00", b"\x00\x02a", b"\xff\xff", b"\x00\x01a\x00"])
def test_packet_cut_off(sound: bytes) -> None:
    with pytest.raises(DocumentError, match="cut off"):
        opus_packets(sound)


def test_segment_of_another_shape() -> None:
    whole = segment().pack()
    for broken in (whole[:-1], whole + b"x", b"LLS2" + whole[4:], whole[: HEAD_BYTES + 63], b""):
        assert refusal(broken) is Refusal.MALFORMED_DOCUMENT


@pytest.mark.parametrize("duration_ms", [0, 1001])
def test_segment_of_another_length(duration_ms: int) -> None:
    whole = segment().pack()
    assert refusal(whole[:24] + struct.pack(">H", duration_ms) + whole[26:]) is Refusal.MALFORMED_DOCUMENT


def test_segment_too_large_before_reading() -> None:
    assert refusal(b"x" * (LIVE_SEGMENT_BYTES_MAX + 1)) is Refusal.TOO_LARGE
