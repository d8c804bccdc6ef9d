"""What a network may send instead of Opus packets."""

from __future__ import annotations

import contextlib
import random

import pytest

from hardware.errors import MediaError
from hardware.interfaces import FRAME_BYTES
from hardware.opus_packets import OpusPacketDecoder
from simulators.encoder import opus_packets
from simulators.listening import find
from simulators.melody import melody

SOUND = melody(6, duration_ms=2000)


@pytest.mark.slow
def test_rubbish_between_packets_harms_nothing() -> None:
    chance = random.Random(4)
    decoder = OpusPacketDecoder()
    frames = []
    for packet in opus_packets(SOUND):
        for _ in range(20):
            # Some of it is valid by chance, and changes what is heard for a moment: nothing else.
            with contextlib.suppress(MediaError):
                assert len(decoder.decode(chance.randbytes(chance.choice((1, 2, 40, 4000))))) == FRAME_BYTES
        frames.append(decoder.decode(packet))
    frames += [decoder.decode(packet) for packet in opus_packets(SOUND)]
    assert find(SOUND[48_000 : 48_000 * 3], b"".join(frames)).correlation > 0.98


@pytest.mark.slow
def test_rubbish_of_the_right_length_never_gives_more_than_a_frame() -> None:
    chance = random.Random(5)
    decoder = OpusPacketDecoder()
    for _ in range(3000):
        packet = bytes((chance.choice((1, 9, 15, 31)) << 3,)) + chance.randbytes(chance.randrange(1275))
        try:
            assert len(decoder.decode(packet)) == FRAME_BYTES
        except MediaError:
            continue


@pytest.mark.parametrize("packet", [b"", bytes(4001), b"\xfc" * 100_000])
def test_packet_of_impossible_size(packet: bytes) -> None:
    with pytest.raises(MediaError):
        OpusPacketDecoder().decode(packet)


def test_stereo_sender_is_heard_in_mono() -> None:
    packet = bytearray(opus_packets(SOUND)[3])
    packet[0] |= 4  # the stereo bit
    try:
        assert len(OpusPacketDecoder().decode(bytes(packet))) == FRAME_BYTES
    except MediaError as error:
        assert "Opus" in str(error)


@pytest.mark.parametrize("config", [0, 2, 3, 16, 17, 18])
def test_packet_of_another_length_is_refused(config: int) -> None:
    with pytest.raises(MediaError, match="instead of 20 ms"):
        OpusPacketDecoder().decode(bytes((config << 3,)) + bytes(20))
