"""Cuts MP3 (and the other MPEG audio layers) and bare AAC (ADTS): both are frames with a header each, in a row.

Frames follow each other without an index, so the way to the offset is walked from header to header: an hour of MP3
is 137,813 of them. Delay and padding of an MP3 are what its encoder wrote into the first frame ("Xing" or "Info",
with LAME's extension); the decoder adds 529 samples of its own. A file without them is played from its first frame.

Sources: ISO/IEC 11172-3 2.4.1.3 and 13818-3 (headers), 14496-3 1.A.2.2 (ADTS), the LAME tag's description by
Gabriel Bouvigne.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from hardware.errors import MediaError
from hardware.interfaces import SAMPLE_RATE
from hardware.vlc_cut import PIECE_BYTES, Cut, after_id3, at_bus, lead_frame

_SEARCH_BYTES_MAX: Final = 131_072
_LEAD_FRAMES: Final = 12
"""An MP3 frame may lean on the bits of up to nine before it; the overlap and the resampler want a little more."""

_PAD_FRAMES: Final = 30
_DECODER_DELAY: Final = 529
_MP3_RATES: Final = (44_100, 48_000, 32_000)
_AAC_LOW_RATES: Final = (24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
AAC_RATES: Final = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, *_AAC_LOW_RATES)

_KBITS_1: Final = {
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBITS_2: Final = {
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True, slots=True)
class _Header:
    """A frame's header. `kind` is the same for all frames of a file."""

    demux: str
    kind: tuple[int, int]
    rate: int
    samples: int
    size: int


@dataclass(frozen=True, slots=True)
class _Trim:
    """What an encoder says of its delay, its padding, and how many frames it wrote."""

    delay: int = 0
    padding: int = 0
    frames: int = 0


def begins_at(data: mmap.mmap, at: int) -> bool:
    """Whether two frames that belong together begin near here."""
    return _first_frame(data, at) is not None


def found_in(head: bytes) -> str | None:
    """libVLC's demuxer for a stream that was joined somewhere in the middle, when there are frames in it."""
    found = _first_frame(head, after_id3(head))
    return found[1].demux if found else None


def cut(data: mmap.mmap, offset_samples: int) -> Cut:
    """See `hardware.vlc_cut.cut_file`."""
    found = _first_frame(data, after_id3(data))
    if found is None:
        raise MediaError("no frame of MPEG audio")
    at, head = found
    trim = _trim(data, at, head)
    if trim is not None:
        at += head.size
    trim = trim or _Trim()
    wanted = offset_samples * head.rate // SAMPLE_RATE + trim.delay
    first = lead_frame(wanted, head.samples, head.rate, lead_frames=_LEAD_FRAMES)
    walked = 0
    for begin, size in islice(_frames(data, at, head), first):
        at, walked = begin + size, walked + 1
    if walked < first:
        raise MediaError("nothing is left at this offset")
    skip = offset_samples - at_bus(first * head.samples - trim.delay + head.rate, head.rate) + SAMPLE_RATE
    made = Cut(head.demux, iter(()), skip)
    made.pieces = _pieces(made, data, (at, first, offset_samples), head, trim)
    return made


def _pieces(made: Cut, data: mmap.mmap, place: tuple[int, int, int], head: _Header, trim: _Trim) -> Iterator[bytes]:
    at, count, offset_samples = place
    held, last = bytearray(), b""
    for begin, size in _frames(data, at, head):
        last = data[begin : begin + size]
        held += last
        count += 1
        if len(held) >= PIECE_BYTES:
            yield bytes(held)
            held.clear()
    padding = trim.padding if count >= trim.frames else 0
    made.samples = at_bus(max(0, count * head.samples - trim.delay - padding), head.rate) - offset_samples
    yield bytes(held) + last * _PAD_FRAMES


def _frames(data: mmap.mmap, at: int, head: _Header) -> Iterator[tuple[int, int]]:
    """Begin and size of one whole frame after another; what is no frame in between is passed over."""
    end = len(data)
    while at + 8 <= end:
        header = _header(data[at : at + 8])
        if header is None or header.kind != head.kind or at + header.size > end:
            at = data.find(b"\xff", at + 1)
            if at < 0:
                return
            continue
        yield at, header.size
        at += header.size


def _first_frame(data: mmap.mmap | bytes, begin: int) -> tuple[int, _Header] | None:
    at, limit = begin, min(len(data), begin + _SEARCH_BYTES_MAX)
    while 0 <= at < limit:
        header = _header(data[at : at + 8])
        if header is not None:
            behind = at + header.size
            following = _header(data[behind : behind + 8])
            if following is not None and following.kind == header.kind:
                return at, header
        at = data.find(b"\xff", at + 1)
    return None


def _header(head: bytes) -> _Header | None:
    if len(head) < 8 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return _aac_header(head)
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    kbits_index, rate_index, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or kbits_index in (0, 15) or rate_index == 3:
        return None
    rate = _MP3_RATES[rate_index] >> (0 if version == 3 else 1 if version == 2 else 2)
    kbits = (_KBITS_1 if version == 3 else _KBITS_2)[layer][kbits_index]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    slot_bytes = 4 if layer == 1 else 1
    size = (samples // 8 // slot_bytes * 1000 * kbits // rate + padding) * slot_bytes
    return _Header("mpga", (version * 4 + layer, rate_index), rate, samples, size)


def _aac_header(head: bytes) -> _Header | None:
    rate_index = head[2] >> 2 & 15
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if rate_index >= len(AAC_RATES) or size < 8 or head[6] & 3:
        return None
    return _Header("aac", (head[1] & 8, rate_index), AAC_RATES[rate_index], 1024, size)


def _trim(data: mmap.mmap, at: int, head: _Header) -> _Trim | None:
    """What the first frame says, when it is a tag instead of sound."""
    frame = data[at : at + head.size]
    if head.demux != "mpga" or head.kind[0] & 3 != 3:
        return None
    mono, mpeg_1 = frame[3] >> 6 == 3, head.kind[0] >> 2 == 3
    tag = 4 + (17 if mono else 32) if mpeg_1 else 4 + (9 if mono else 17)
    if frame[36:40] == b"VBRI":
        return _Trim()
    if frame[tag : tag + 4] not in (b"Xing", b"Info"):
        return None
    flags, at = frame[tag + 7], tag + 8
    frames = int.from_bytes(frame[at : at + 4], "big") if flags & 1 else 0
    at += 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    if frame[at : at + 4] not in (b"LAME", b"Lavf", b"Lavc"):
        return _Trim(frames=frames)
    both = int.from_bytes(frame[at + 21 : at + 24], "big")
    return _Trim((both >> 12) + _DECODER_DELAY, max(0, (both & 0xFFF) - _DECODER_DELAY), frames)
