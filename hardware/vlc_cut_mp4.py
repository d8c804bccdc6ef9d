"""Cuts M4A: the tables in its head tell where each AAC frame lies; libVLC gets them as ADTS, a header before each.

The edit list tells where the sound begins behind the encoder's delay. Only whole files with AAC inside are taken;
other codecs and files in fragments are refused.

Sources: ISO/IEC 14496-12 (boxes), 14496-3 1.6.2 (AudioSpecificConfig) and 1.A.2.2 (ADTS).
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hardware.errors import MediaError
from hardware.interfaces import SAMPLE_RATE
from hardware.vlc_cut import PIECE_BYTES, Cut, at_bus, lead_frame
from hardware.vlc_cut_mpeg import AAC_RATES

_MOOV_BYTES_MAX: Final = 64 * 1024 * 1024
_BOXES_MAX: Final = 10_000
_FRAMES_MAX: Final = 10_000_000
_LEAD_FRAMES: Final = 6
_PAD_FRAMES: Final = 30
_ADTS_BYTES: Final = 7
_FRAME_BYTES_MAX: Final = 8191 - _ADTS_BYTES


@dataclass(frozen=True, slots=True)
class Aac:
    """What ADTS says of each frame."""

    profile: int
    rate_index: int
    channels: int

    @classmethod
    def of(cls, config: bytes) -> Aac:
        """Out of an AudioSpecificConfig. Raises MediaError when ADTS has no room for it, IndexError when cut off."""
        kind, index, channels = config[0] >> 3, (config[0] & 7) << 1 | config[1] >> 7, config[1] >> 3 & 15
        if kind in (5, 29):  # its low half is plain AAC, the decoder finds the rest
            kind = 2
        if not 1 <= kind <= 4 or index >= len(AAC_RATES) or not 1 <= channels <= 7:
            raise MediaError("a kind of AAC that is not played")
        return cls(kind - 1, index, channels)

    def head(self, size: int) -> bytes:
        """The header of a frame of so many bytes."""
        size += _ADTS_BYTES
        bits = 0xFFF1 << 40 | self.profile << 38 | self.rate_index << 34 | self.channels << 30
        return (bits | size << 13 | 0x7FF << 2).to_bytes(_ADTS_BYTES, "big")


@dataclass(frozen=True, slots=True)
class _Track:
    """Where the frames lie: `sizes` of all of them, and the first byte and the count of each run of them.

    Attributes:
        rate: the track's unit of time, mostly its sample rate.
        frame_samples: of a frame, in that unit.
        begin: where the sound begins, `length` how long it is, 0 when nothing says so.
    """

    aac: Aac
    rate: int
    frame_samples: int
    begin: int
    length: int
    sizes: tuple[int, ...]
    runs: tuple[tuple[int, int], ...]


def cut(data: mmap.mmap, offset_samples: int) -> Cut:
    """See `hardware.vlc_cut.cut_file`."""
    track = _track(data)
    wanted = offset_samples * track.rate // SAMPLE_RATE + track.begin
    first = lead_frame(wanted, track.frame_samples, track.rate, lead_frames=_LEAD_FRAMES)
    place = at_bus(first * track.frame_samples - track.begin + track.rate * 3600, track.rate) - SAMPLE_RATE * 3600
    made = Cut("aac", iter(()), offset_samples - place)
    made.pieces = _pieces(made, data, track, first, offset_samples)
    return made


def _pieces(made: Cut, data: mmap.mmap, track: _Track, first: int, offset_samples: int) -> Iterator[bytes]:
    held, last, count = bytearray(), b"", first
    for begin, size in _frames(track, first):
        if begin + size > len(data):
            break
        last = track.aac.head(size) + data[begin : begin + size]
        held += last
        count += 1
        if len(held) >= PIECE_BYTES:
            yield bytes(held)
            held.clear()
    length = max(0, count * track.frame_samples - track.begin)
    length = min(length, track.length) if track.length else length
    made.samples = at_bus(length, track.rate) - offset_samples
    yield bytes(held) + last * _PAD_FRAMES


def _frames(track: _Track, first: int) -> Iterator[tuple[int, int]]:
    """Begin and size of the frames from one on."""
    number = 0
    for begin, count in track.runs:
        last = min(number + count, len(track.sizes))
        if last <= first:
            number = last
            continue
        for size in track.sizes[number:last]:
            if number >= first:
                yield begin, size
            begin += size
            number += 1


def _track(data: mmap.mmap) -> _Track:
    begin, end = _box(data, b"moov", 0, len(data))
    if end - begin > _MOOV_BYTES_MAX:
        raise MediaError("an M4A file whose head is too large")
    moov = data[begin:end]
    (movie_begin, _) = _box(moov, b"mvhd", 0, len(moov))
    movie_rate = _time_fields(moov, movie_begin)
    for name, track_begin, track_end in _boxes(moov, 0, len(moov)):
        if name == b"trak" and _is_sound(moov, track_begin, track_end):
            return _sound_track(moov, (track_begin, track_end), movie_rate)
    raise MediaError("no sound in this M4A file")


def _is_sound(moov: bytes, begin: int, end: int) -> bool:
    handler, _ = _path(moov, (b"mdia", b"hdlr"), begin, end)
    return moov[handler + 8 : handler + 12] == b"soun"


def _sound_track(moov: bytes, place: tuple[int, int], movie_rate: int) -> _Track:
    media = _path(moov, (b"mdia",), *place)
    rate = _time_fields(moov, _path(moov, (b"mdhd",), *media)[0])
    table = _path(moov, (b"minf", b"stbl"), *media)
    times, _ = _path(moov, (b"stts",), *table)
    frame_samples = _number(moov, times + 12)
    if not rate or not 0 < frame_samples <= 8192:
        raise MediaError("a kind of M4A that is not played")
    begin, length = _edit(moov, place, rate, movie_rate)
    sizes = _sizes(moov, table)
    return _Track(_codec(moov, table), rate, frame_samples, begin, length, sizes, _runs(moov, table, len(sizes)))


def _edit(moov: bytes, place: tuple[int, int], rate: int, movie_rate: int) -> tuple[int, int]:
    """Begin and length of the sound by the first edit that is not empty."""
    try:
        at, end = _path(moov, (b"edts", b"elst"), *place)
    except MediaError:
        return 0, 0
    wide = 8 if moov[at] else 4
    row = wide * 2 + 4
    for entry in range(min(_number(moov, at + 4), (end - at - 8) // row)):
        place_of = at + 8 + entry * row
        length = int.from_bytes(moov[place_of : place_of + wide], "big")
        begin = int.from_bytes(moov[place_of + wide : place_of + 2 * wide], "big", signed=True)
        if 0 <= begin < rate * 3600:
            return begin, length * rate // movie_rate if movie_rate else 0
    return 0, 0


def _codec(moov: bytes, table: tuple[int, int]) -> Aac:
    begin, end = _path(moov, (b"stsd",), *table)
    entry = begin + 8
    if moov[entry + 4 : entry + 8] != b"mp4a":
        raise MediaError("a codec in M4A that is not played")
    version = int.from_bytes(moov[entry + 16 : entry + 18], "big")
    esds, esds_end = _path(moov, (b"esds",), entry + {0: 36, 1: 52}.get(version, end), end)
    return Aac.of(_specific_config(moov[esds + 4 : esds_end]))


def _specific_config(esds: bytes) -> bytes:
    """The decoder's configuration, out of the nest of descriptors (ISO/IEC 14496-1, 7.2.6)."""
    at = 0
    for _ in range(8):
        tag, at = esds[at], at + 1
        size = 0
        for _ in range(4):
            byte, at = esds[at], at + 1
            size = size << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == 5 and size >= 2:
            return esds[at : at + size]
        at += {3: 3, 4: 13}.get(tag, size)
    raise MediaError("no AAC configuration")


def _sizes(moov: bytes, table: tuple[int, int]) -> tuple[int, ...]:
    at, end = _path(moov, (b"stsz",), *table)
    same, count = _number(moov, at + 4), _number(moov, at + 8)
    if count > _FRAMES_MAX or (not same and count * 4 > end - at - 12):
        raise MediaError("more frames than an M4A file can hold")
    sizes = (same,) * count if same else struct.unpack_from(f">{count}I", moov, at + 12)
    if max(sizes, default=0) > _FRAME_BYTES_MAX:
        raise MediaError("an AAC frame is too large")
    return sizes


def _runs(moov: bytes, table: tuple[int, int], frames: int) -> tuple[tuple[int, int], ...]:
    """First byte and number of frames of each chunk."""
    begins = _chunk_begins(moov, table)
    at, end = _path(moov, (b"stsc",), *table)
    count = min(_number(moov, at + 4), (end - at - 8) // 12)
    rows = list(struct.iter_unpack(">III", moov[at + 8 : at + 8 + count * 12]))
    runs: list[tuple[int, int]] = []
    left = frames
    for (first, in_chunk, _), following in zip(rows, [*rows[1:], (len(begins) + 1, 0, 0)], strict=True):
        for begin in begins[max(0, first - 1) : max(0, following[0] - 1)]:
            runs.append((begin, min(in_chunk, left)))
            left -= runs[-1][1]
            if not left:
                return tuple(runs)
    return tuple(runs)


def _chunk_begins(moov: bytes, table: tuple[int, int]) -> tuple[int, ...]:
    for name, kind, wide in ((b"stco", "I", 4), (b"co64", "Q", 8)):
        try:
            at, end = _path(moov, (name,), *table)
        except MediaError:
            continue
        count = min(_number(moov, at + 4), (end - at - 8) // wide)
        return struct.unpack_from(f">{count}{kind}", moov, at + 8)
    raise MediaError("an M4A file without a table of its chunks")


def _path(moov: bytes, names: tuple[bytes, ...], begin: int, end: int) -> tuple[int, int]:
    for name in names:
        begin, end = _box(moov, name, begin, end)
    return begin, end


def _box(data: bytes | mmap.mmap, wanted: bytes, begin: int, end: int) -> tuple[int, int]:
    """Where the content of a box begins and ends. Raises MediaError when there is none."""
    for name, inside, behind in _boxes(data, begin, end):
        if name == wanted:
            return inside, behind
    raise MediaError(f"no {wanted.decode()} in this M4A file")


def _boxes(data: bytes | mmap.mmap, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    at = begin
    for _ in range(_BOXES_MAX):
        if at + 8 > end:
            return
        size, inside = _number(data, at), at + 8
        if size == 1:
            size, inside = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        behind = at + size if size else end
        if behind < inside or behind > end:
            behind = end
        yield bytes(data[at + 4 : at + 8]), inside, behind
        at = behind


def _number(data: bytes | mmap.mmap, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _time_fields(moov: bytes, at: int) -> int:
    """The unit of time of a movie or a track."""
    return _number(moov, at + (20 if moov[at] else 12))
