"""Cuts a sound file at a sample, so that libVLC decodes exactly what follows.

libVLC's own search in a file lands near the place, never on the sample, and it loses the head of some formats (see
`hardware.vlc_player`). Its decoders are exact, though, when they are given whole frames one after another. So the
file is taken apart here: the frames around the offset are found by the file's own tables and numbers, libVLC gets
them from a little before (a decoder needs a few frames before its sound is right), and what it makes of those few
is counted and dropped. At the end silence or repeated frames follow, since libVLC holds the last block back; the
count ends before them.

All of it runs in the child process: the agent itself never looks into a file that somebody sent.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hardware.errors import MediaError
from hardware.interfaces import SAMPLE_RATE

PIECE_BYTES: Final = 32_768
_MAGIC_BYTES: Final = 16
_ID3_HEADER_BYTES: Final = 10


@dataclass(slots=True)
class Cut:
    """What libVLC is to be given, and what of its answer counts.

    Attributes:
        demux: libVLC's name of the demuxer; no other is tried.
        pieces: of the file, in order, padding behind it included.
        skip_samples: at 48 kHz, dropped from the beginning of what comes out.
        samples: at 48 kHz, wanted behind them; None while unknown. The pieces set it before their padding begins.
    """

    demux: str
    pieces: Iterator[bytes]
    skip_samples: int = 0
    samples: int | None = None


Cutter = Callable[[mmap.mmap, int], Cut]


def cut_file(path: Path, offset_samples: int) -> Cut:
    """The sound from a sample (at 48 kHz) on.

    Raises:
        MediaError: no such file, none of the formats that are known to hold their own sound, damaged before its
            first frame, or nothing left at the offset.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise MediaError(f"{path.name} cannot be read") from error
    try:
        if data[:4] == b"OggS":
            return _cut_ogg(path, data, offset_samples)
        cut = _cutter(data)(data, offset_samples)
    except (ValueError, IndexError, OverflowError, struct.error) as error:
        raise MediaError(f"{path.name} is damaged") from error
    if cut.samples is not None and cut.samples <= 0:
        raise MediaError("nothing is left at this offset")
    return cut


def at_bus(samples: int, rate: int) -> int:
    """How many samples at 48 kHz as many samples of a file are."""
    return (samples * SAMPLE_RATE + rate // 2) // rate


def lead_frame(wanted: int, frame_samples: int, rate: int, *, lead_frames: int) -> int:
    """A frame to begin at, so many before the wanted sample that the decoder is in its stride there.

    It also stands at a whole sample of 48 kHz from the file's first frame, so that the samples behind it are the very
    ones that playing the whole file gives: at 44.1 kHz that is every 49th frame of MP3 and every 147th of AAC.
    """
    number = max(0, wanted // frame_samples - lead_frames)
    return number - number % (rate // math.gcd(rate, SAMPLE_RATE * frame_samples))


def after_id3(data: mmap.mmap | bytes) -> int:
    """Where the sound begins behind ID3v2 tags, which may stand before MP3, AAC and FLAC."""
    at = 0
    while data[at : at + 3] == b"ID3" and at + _ID3_HEADER_BYTES <= len(data):
        size = 0
        for byte in data[at + 6 : at + _ID3_HEADER_BYTES]:
            size = size << 7 | byte & 0x7F
        at += _ID3_HEADER_BYTES + size
    return at


def file_pieces(data: mmap.mmap, begin: int, end: int) -> Iterator[bytes]:
    """The bytes of a part of a file."""
    for at in range(begin, end, PIECE_BYTES):
        yield data[at : min(at + PIECE_BYTES, end)]


def _cutter(data: mmap.mmap) -> Cutter:
    from hardware import vlc_cut_flac, vlc_cut_mp4, vlc_cut_mpeg, vlc_cut_wav

    start = after_id3(data)
    magic = data[start : start + _MAGIC_BYTES]
    if magic[:4] == b"RIFF" and magic[8:12] == b"WAVE":
        return vlc_cut_wav.cut
    if magic[:4] == b"fLaC":
        return vlc_cut_flac.cut
    if magic[4:8] == b"ftyp":
        return vlc_cut_mp4.cut
    if vlc_cut_mpeg.begins_at(data, start):
        return vlc_cut_mpeg.cut
    raise MediaError("not a sound file of a known format")


def _cut_ogg(path: Path, data: mmap.mmap, offset_samples: int) -> Cut:
    """libVLC loses the first 73 ms of Opus and 33 ms of Vorbis: the codecs' own libraries open these files."""
    from hardware import opus_file, vlc_cut_wav, vorbis_file

    first_page = data[:128]
    if b"OpusHead" in first_page:
        return vlc_cut_wav.cut_of_sound(opus_file.OpusFile(path), offset_samples)
    if b"\x01vorbis" in first_page:
        return vlc_cut_wav.cut_of_sound(vorbis_file.VorbisFile(path), offset_samples)
    raise MediaError("neither Opus nor Vorbis is in this Ogg file")
