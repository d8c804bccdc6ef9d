"""RTP for libVLC's child: packets that a station sends to us or to a group, unpacked into a stream.

Only the fixed payload types tell what they are; a dynamic one is taken when it holds a transport stream, everything
else is described by RTSP (`hardware.vlc_rtsp`).

Sources: RFC 3550 (5.1 header), RFC 3551 (payload types), RFC 2250 (MPEG audio: four bytes before the frames).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from hardware.errors import MediaError
from hardware.vlc_cut import Cut
from hardware.vlc_web import SILENT_S, is_transport_stream

_HEADER_BYTES: Final = 12
_PACKET_BYTES_MAX: Final = 65_536
_FIRST_S: Final = 9.0
_MPEG_AUDIO_HEADER_BYTES: Final = 4
_OLD: Final = 0x8000
_ENDLESS_BYTES: Final = 0x7FFF_FF00


@dataclass(frozen=True, slots=True)
class Packet:
    """An RTP packet, header taken off."""

    payload_type: int
    number: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """How payloads become a stream: what comes first, and what becomes of each."""

    demux: str
    head: bytes
    unpack: Callable[[bytes], bytes]


def parsed(packet: bytes) -> Packet | None:
    """A packet, None when it is not RTP."""
    if len(packet) < _HEADER_BYTES or packet[0] >> 6 != 2:
        return None
    begin = _HEADER_BYTES + 4 * (packet[0] & 15)
    if packet[0] & 0x10:
        begin += 4 + 4 * int.from_bytes(packet[begin + 2 : begin + 4], "big")
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    return Packet(packet[1] & 0x7F, int.from_bytes(packet[2:4], "big"), packet[begin:end])


def fixed_form(payload_type: int) -> Form | None:
    """What a payload type means by itself."""
    forms = {
        0: wav_form(7, 8_000, 1),
        8: wav_form(6, 8_000, 1),
        10: l16_form(44_100, 2),
        11: l16_form(44_100, 1),
        14: Form("mpga", b"", lambda payload: payload[_MPEG_AUDIO_HEADER_BYTES:]),
        33: Form("ts", b"", bytes),
    }
    return forms.get(payload_type)


def l16_form(rate: int, channels: int) -> Form:
    """Samples of 16 bits in network order."""
    form = wav_form(1, rate, channels)
    return Form("wav", form.head, _swapped)


def wav_form(tag: int, rate: int, channels: int) -> Form:
    """Samples under a WAV header: tag 1 is PCM of 16 bits, 6 is A-law, 7 is µ-law."""
    size = channels * (2 if tag == 1 else 1)
    chunk = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate, rate * size, size, size * 8 // channels)
    head = struct.pack("<4sI4s", b"RIFF", _ENDLESS_BYTES, b"WAVE") + chunk
    return Form("wav", head + struct.pack("<4sI", b"data", _ENDLESS_BYTES), bytes)


def stream(packets: Iterator[Packet], form: Form | None) -> Cut:
    """Packets as a stream; those that come late or twice are dropped.

    Raises:
        MediaError: no packet comes, or what they hold cannot be told.
    """
    first = next(packets, None)
    if first is None:
        raise MediaError("no RTP packet came")
    form = form or fixed_form(first.payload_type)
    if form is None and is_transport_stream(first.payload):
        form = Form("ts", b"", bytes)
    if form is None:
        raise MediaError(f"RTP payload type {first.payload_type} is not played")
    return Cut(form.demux, _pieces(first, packets, form))


def cut_stream(address: str) -> Cut:
    """Packets sent to a port of ours, or to a multicast group: `rtp://@:5004`, `rtp://239.1.2.3:5004`.

    Raises:
        MediaError: the port is taken, or nothing comes that is sound.
    """
    parts = urlsplit(address)
    try:
        ours = _listening(parts.hostname or "", parts.port or 5004)
    except (OSError, ValueError) as error:
        raise MediaError("the RTP port cannot be opened") from error
    return stream(_received(ours), None)


def _pieces(first: Packet, packets: Iterator[Packet], form: Form) -> Iterator[bytes]:
    yield form.head + form.unpack(first.payload)
    latest = first.number
    for packet in packets:
        ahead = (packet.number - latest) & 0xFFFF
        if packet.payload_type == first.payload_type and 0 < ahead < _OLD:
            latest = packet.number
            yield form.unpack(packet.payload)


def _listening(host: str, port: int) -> socket.socket:
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    packed = socket.inet_aton(socket.gethostbyname(host)) if host else bytes(4)
    if 224 <= packed[0] < 240:
        ours.bind((socket.inet_ntoa(packed), port))
        ours.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, packed + bytes(4))
    else:
        ours.bind((socket.inet_ntoa(packed), port))
    return ours


def _received(ours: socket.socket) -> Iterator[Packet]:
    ours.settimeout(_FIRST_S)
    while True:
        try:
            packet = parsed(ours.recv(_PACKET_BYTES_MAX))
        except TimeoutError as error:
            raise MediaError("no RTP packet comes") from error
        if packet is not None:
            ours.settimeout(SILENT_S)
            yield packet


def _swapped(payload: bytes) -> bytes:
    whole = bytearray(payload[: len(payload) // 2 * 2])
    whole[::2], whole[1::2] = whole[1::2], whole[::2]
    return bytes(whole)
