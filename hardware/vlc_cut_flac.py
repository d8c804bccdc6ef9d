"""Cuts FLAC files: every frame tells its own number, so the offset is found by halving the file.

A header found in the middle of a file is believed when its check sum is right, it fits the file's first block, and
the number it tells lies between those already found. Source: RFC 9639, sections 8.2 and 9.1.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hardware.errors import MediaError
from hardware.interfaces import SAMPLE_RATE
from hardware.vlc_cut import Cut, after_id3, at_bus, file_pieces, lead_frame

_LEAD_MS: Final = 100
_HEADER_BYTES_MAX: Final = 16
_STREAMINFO_BYTES: Final = 34
_BLOCKS_MAX: Final = 1000
_NEAR_BYTES: Final = 65_536
_BLOCK_MIN: Final = 16
_PAD_FRAMES: Final = 8


@dataclass(frozen=True, slots=True)
class _Info:
    """What the first block says; `begin` is where the frames begin."""

    head: bytes
    begin: int
    block: int
    fixed: bool
    rate: int
    channels: int
    bits: int
    total: int


def cut(data: mmap.mmap, offset_samples: int) -> Cut:
    """See `hardware.vlc_cut.cut_file`."""
    info = _info(data)
    wanted = offset_samples * info.rate // SAMPLE_RATE
    lead_frames = info.rate * _LEAD_MS // 1000 // info.block + 1
    wanted = lead_frame(wanted, info.block, info.rate, lead_frames=lead_frames) * info.block
    at, first = _place(data, info, wanted)
    samples = at_bus(info.total, info.rate) - offset_samples if info.total else None
    return Cut("flac", _pieces(data, info, at), offset_samples - at_bus(first, info.rate), samples)


def _pieces(data: mmap.mmap, info: _Info, at: int) -> Iterator[bytes]:
    yield info.head
    yield from file_pieces(data, at, len(data))
    if info.total:
        number = info.total // info.block + 1 if info.fixed else info.total
        for extra in range(_PAD_FRAMES):
            yield _silent_frame(info, number + extra * (1 if info.fixed else info.block))


def _info(data: mmap.mmap) -> _Info:
    at = after_id3(data) + 4
    stream = data[at + 4 : at + 4 + _STREAMINFO_BYTES]
    if data[at] & 0x7F or len(stream) < _STREAMINFO_BYTES:
        raise MediaError("a FLAC file without its first block")
    # The smallest block and the frames' sizes are left open: libVLC refuses the last, shorter block otherwise.
    open_ends = _BLOCK_MIN.to_bytes(2, "big") + stream[2:4] + bytes(6)
    head = b"fLaC\x80" + _STREAMINFO_BYTES.to_bytes(3, "big") + open_ends + stream[10:]
    for _ in range(_BLOCKS_MAX):
        last, size = data[at] & 0x80, int.from_bytes(data[at + 1 : at + 4], "big")
        at += 4 + size
        if last:
            break
    packed = int.from_bytes(stream[10:18], "big")
    least, block = int.from_bytes(stream[:2], "big"), int.from_bytes(stream[2:4], "big")
    rate, channels, bits = packed >> 44, (packed >> 41 & 7) + 1, (packed >> 36 & 31) + 1
    if block < _BLOCK_MIN or rate < 1000:
        raise MediaError("a kind of FLAC that is not played")
    fixed = not data[at + 1] & 1
    return _Info(head, at, block, fixed and least == block, rate, channels, bits, packed & 0xF_FFFF_FFFF)


def _place(data: mmap.mmap, info: _Info, wanted: int) -> tuple[int, int]:
    """Where a frame begins and its first sample, at or not long before the one wanted."""
    low, first = info.begin, 0
    high, limit = len(data), info.total or 1 << 36
    if wanted < info.block:
        return low, first
    while high - low > _NEAR_BYTES:
        middle = (low + high) // 2
        found = _next_frame(data, info, middle, high, (first, limit))
        if found is None or found[1] > wanted:
            high, limit = middle, limit if found is None else found[1]
        else:
            low, first = found
    while (found := _next_frame(data, info, low + 1, high, (first, limit))) and found[1] <= wanted:
        low, first = found
    return low, first


def _next_frame(
    data: mmap.mmap, info: _Info, begin: int, end: int, between: tuple[int, int]
) -> tuple[int, int] | None:
    """The next frame whose first sample lies between two others."""
    at = data.find(b"\xff", begin, end)
    while at >= 0:
        first = _first_sample(data[at : at + _HEADER_BYTES_MAX], info)
        if first is not None and between[0] < first < between[1]:
            return at, first
        at = data.find(b"\xff", at + 1, end)
    return None


def _first_sample(head: bytes, info: _Info) -> int | None:
    if len(head) < _HEADER_BYTES_MAX or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    block_code, rate_code, layout = head[2] >> 4, head[2] & 15, head[3] >> 4
    if not block_code or rate_code == 15 or layout > 10 or bool(head[1] & 1) == info.fixed:
        return None
    number, at = _coded_number(head, 4)
    at += {6: 1, 7: 2}.get(block_code, 0) + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if number is None or at >= len(head) or _crc_8(head[:at]) != head[at]:
        return None
    return number * info.block if info.fixed else number


def _coded_number(head: bytes, at: int) -> tuple[int | None, int]:
    """A number in the extended UTF-8 of RFC 9639, 9.1.5, and where it ends."""
    lead = head[at]
    if lead < 0x80:
        return lead, at + 1
    more = 7 - (lead ^ 0xFF).bit_length()
    if not 1 <= more <= 6:
        return None, at
    number = lead & (0x3F >> more)
    for byte in head[at + 1 : at + 1 + more]:
        if byte & 0xC0 != 0x80:
            return None, at
        number = number << 6 | byte & 0x3F
    return number, at + 1 + more


def _number_coded(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    more = 1
    while number >= 1 << (6 * more + 6 - more):
        more += 1
    tail = [0x80 | number >> 6 * at & 0x3F for at in range(more - 1, -1, -1)]
    return bytes((0xFF << (7 - more) & 0xFF | number >> 6 * more, *tail))


def _silent_frame(info: _Info, number: int) -> bytes:
    """A frame of nothing, which pushes the last one out of libVLC."""
    head = bytes((0xFF, 0xF8 | (not info.fixed), 0x70, (info.channels - 1) << 4)) + _number_coded(number)
    head += (info.block - 1).to_bytes(2, "big")
    head += bytes((_crc_8(head),))
    bits = "".join("00000000" + "0" * info.bits for _ in range(info.channels))
    body = head + bytes((len(bits) + 7) // 8)
    return body + _crc_16(body).to_bytes(2, "big")


def _crc_8(data: bytes) -> int:
    return _crc(data, 0x07, 8)


def _crc_16(data: bytes) -> int:
    return _crc(data, 0x8005, 16)


def _crc(data: bytes, polynomial: int, width: int) -> int:
    value, top, mask = 0, 1 << (width - 1), (1 << width) - 1
    for byte in data:
        value ^= byte << (width - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
    return value
