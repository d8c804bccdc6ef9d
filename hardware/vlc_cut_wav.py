"""Cuts WAV files, and wraps sound that another library decoded as one; libVLC brings either to 48 kHz mono."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from itertools import islice
from typing import Final, Protocol

from hardware.errors import MediaError
from hardware.interfaces import SAMPLE_RATE
from hardware.vlc_cut import PIECE_BYTES, Cut, at_bus, file_pieces, lead_frame

_LEAD_MS: Final = 100
"""So much before the offset is decoded too, for the resampler's filter."""

_READS: Final = 8
"""So many reads go to libVLC at once: each of its requests costs the same."""

_PAD_MS: Final = 500
_ENDLESS_BYTES: Final = 0x7FFF_FF00
_CHUNKS_MAX: Final = 1000
_KNOWN_TAGS: Final = {1: "PCM", 3: "floating point", 6: "A-law", 7: "µ-law", 0xFFFE: "extensible"}
_FORMAT: Final = struct.Struct("<HHIIHH")


class OpenSound(Protocol):
    """A file that its own library has opened: interleaved 16-bit samples from any sample on."""

    rate: int
    channels: int
    total: int
    """Samples of one channel."""

    def seek(self, sample: int) -> None:
        """The next read begins at this sample. Raises MediaError."""
        ...

    def read(self) -> bytes:
        """Some samples of all channels; nothing at the end. Raises MediaError."""
        ...


def cut(data: mmap.mmap, offset_samples: int) -> Cut:
    """See `hardware.vlc_cut.cut_file`."""
    form, begin, end = _chunks(data)
    tag, channels, rate, _, frame_bytes, bits = _FORMAT.unpack_from(form)
    fits = 0 < channels <= 8 and 1000 <= rate <= 384_000 and 8 <= bits <= 64
    if tag not in _KNOWN_TAGS or not fits or frame_bytes != channels * ((bits + 7) // 8):
        raise MediaError("a kind of WAV that is not played")
    total = (end - begin) // frame_bytes
    first = _lead(offset_samples, rate)

    def pieces() -> Iterator[bytes]:
        yield _head(form)
        yield from file_pieces(data, begin + first * frame_bytes, begin + total * frame_bytes)
        yield bytes(rate * _PAD_MS // 1000 * frame_bytes)

    return Cut("wav", pieces(), offset_samples - at_bus(first, rate), at_bus(total, rate) - offset_samples)


def cut_of_sound(sound: OpenSound, offset_samples: int) -> Cut:
    """The same for sound that a library decodes."""
    rate, samples = sound.rate, at_bus(sound.total, sound.rate) - offset_samples
    if samples <= 0:
        raise MediaError("nothing is left at this offset")
    first = offset_samples if rate == SAMPLE_RATE else _lead(offset_samples, rate)
    sound.seek(first)
    frame_bytes = sound.channels * 2
    form = _FORMAT.pack(1, sound.channels, rate, rate * frame_bytes, frame_bytes, 16)

    def pieces() -> Iterator[bytes]:
        yield _head(form)
        while piece := b"".join(islice(iter(sound.read, b""), _READS)):
            yield piece
        yield bytes(rate * _PAD_MS // 1000 * frame_bytes)

    return Cut("wav", pieces(), offset_samples - at_bus(first, rate), samples)


def _lead(offset_samples: int, rate: int) -> int:
    return lead_frame(offset_samples * rate // SAMPLE_RATE, 1, rate, lead_frames=rate * _LEAD_MS // 1000)


def _head(form: bytes) -> bytes:
    """A WAV file's beginning with so much data to follow that it never ends."""
    chunk = b"fmt " + struct.pack("<I", len(form)) + form + bytes(len(form) % 2)
    size = struct.pack("<I", _ENDLESS_BYTES)
    return b"RIFF" + size + b"WAVE" + chunk + b"data" + size


def _chunks(data: mmap.mmap) -> tuple[bytes, int, int]:
    """The format, and where the samples begin and end; a file that was cut off ends earlier than it says."""
    form, at = b"", 12
    for _ in range(_CHUNKS_MAX):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        begin = at + 8
        if name == b"fmt " and _FORMAT.size <= size <= PIECE_BYTES:
            form = data[begin : begin + size]
        if name == b"data":
            if len(form) < _FORMAT.size:
                break
            end = begin + size if size else len(data)
            return form, begin, min(end, len(data))
        if len(name) < 4:
            break
        at = begin + size + size % 2
    raise MediaError("a WAV file without sound")
