"""The last 30 minutes that were said at the microphone, kept on the device for whoever has to look into it.

**Format.** IMA ADPCM, 4 bits a sample at 16 kHz: 8 kB a second, 14.7 MB in all. That is speech as good as a
wide-band telephone's, made by `audioop` in C in a few dozen microseconds a frame. Raw samples would be 173 MB,
and a real codec costs ten times the processor for a third of the bytes.

**Disk.** One file of 900 slots of 16 KiB, two seconds each, laid out once in full and then written in place, the
oldest slot first. A write touches its own slot only and nothing of the file system's books, and is forced out at
once: a power cut costs the two seconds being gathered, and at the most the slot being written, which is the
oldest there is. Each slot has a checksum and its own decoder state, so whatever is damaged costs two seconds and
no more. While nobody speaks nothing is written; half an hour of speech a day is 15 MB a day, where cheap cards
are good for some 10 TB.
"""

from __future__ import annotations

import audioop
import logging
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hardware.interfaces import SAMPLE_RATE

RING_RATE: Final = 16_000
SLOT_MS: Final = 2000
SLOTS: Final = 900
SLOT_BYTES: Final = 16_384
_SLOT_SAMPLES: Final = RING_RATE * SLOT_MS // 1000
_PAYLOAD_BYTES_MAX: Final = _SLOT_SAMPLES // 2
_SLOTS_MAX: Final = 4 * SLOTS
_MAGIC: Final = b"LLMR"
_SCHEMA: Final = 1
_HEADER: Final = struct.Struct("<4sBBhQQqI")
"""Magic, schema, ADPCM step index and predicted value, number, opening, wall ms, payload bytes; then the checksum."""
_SUM: Final = struct.Struct("<I")
_HEAD_BYTES: Final = _HEADER.size + _SUM.size
_STEP_INDEX_MAX: Final = 88

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slot:
    """Where up to two seconds of sound are.

    Attributes:
        place: in the file, counted in slots.
        number: grows by one with every slot ever written, from 1.
        opening: number of the first slot since the microphone was opened.
        wall_ms: wall time of its first sample, in milliseconds since 1970.
        samples: how many, at RING_RATE.
    """

    place: int
    number: int
    opening: int
    wall_ms: int
    samples: int


class SoundRing:
    """Writes the file. One writer only, and not in the event loop: it waits for the disk.

    Args:
        path: made, with its directory, at the first write; a file that is no ring of this size is set aside.
        slots: how much it holds.

    Every method but the first may raise OSError.
    """

    def __init__(self, path: Path, *, slots: int = SLOTS) -> None:
        assert 0 < slots <= _SLOTS_MAX
        self._path, self._slots = path, slots
        self._descriptor: int | None = None
        self._number = self._opening = self._wall_ms = 0
        self._gathered = bytearray()
        self._rate_state: Any = None
        self._begin()

    def add(self, samples: bytes, wall_ms: int) -> None:
        """Takes 16-bit mono samples at 48 kHz; writes when two seconds are there.

        Args:
            wall_ms: wall time of the first of them.
        """
        if not self._gathered:
            self._wall_ms = wall_ms
        # Half of each sample and half of what came before it, so hissing sounds do not fold over into humming ones.
        lower, self._rate_state = audioop.ratecv(samples, 2, 1, SAMPLE_RATE, RING_RATE, self._rate_state, 1, 1)
        self._gathered += lower
        if len(self._gathered) >= _SLOT_SAMPLES * 2:
            self._flush()

    def end(self) -> None:
        """The microphone is closed: writes what is left. The next sound begins a stretch of its own."""
        try:
            if self._gathered:
                self._flush()
        finally:
            self._begin()

    def close(self) -> None:
        """Ends, and lets go of the file."""
        try:
            self.end()
        finally:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def _begin(self) -> None:
        self._rate_state = None
        self._coder_state = (0, 0)
        self._fresh = True

    def _flush(self) -> None:
        gathered, self._gathered = bytes(self._gathered), bytearray()
        while gathered:
            self._write(gathered[: _SLOT_SAMPLES * 2])
            gathered = gathered[_SLOT_SAMPLES * 2 :]
            self._wall_ms += SLOT_MS

    def _write(self, samples: bytes) -> None:
        descriptor = self._open() if self._descriptor is None else self._descriptor
        number = self._number + 1
        opening = number if self._fresh else self._opening
        before = self._coder_state
        # Two samples to a byte.
        payload, self._coder_state = audioop.lin2adpcm(samples + bytes(len(samples) % 4), 2, before)
        head = _HEADER.pack(_MAGIC, _SCHEMA, before[1], before[0], number, opening, self._wall_ms, len(payload))
        slot = head + _SUM.pack(zlib.crc32(payload, zlib.crc32(head))) + payload
        os.pwrite(descriptor, slot.ljust(SLOT_BYTES, b"\0"), (number - 1) % self._slots * SLOT_BYTES)
        os.fdatasync(descriptor)
        self._number, self._opening, self._fresh = number, opening, False

    def _open(self) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        size_bytes = self._slots * SLOT_BYTES
        if self._path.exists() and self._path.stat().st_size != size_bytes:
            aside = self._path.replace(self._path.with_suffix(".damaged"))
            _log.warning("%s is no ring of %s slots; it was set aside as %s", self._path, self._slots, aside.name)
        if not self._path.exists():
            _lay_out(self._path, size_bytes)
        self._number = max((slot.number for slot in slots_of(self._path)), default=0)
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        return self._descriptor


def slots_of(path: Path) -> list[Slot]:
    """What is in a ring and whole, the oldest first; a file that is not there holds nothing. Raises OSError."""
    if not path.exists():
        return []
    found = {slot.number: slot for slot, _ in _read(path)}
    return [found[number] for number in sorted(found)]


def sound_of(path: Path, slots: list[Slot]) -> Iterator[bytes]:
    """The samples of each slot, 16 bit at RING_RATE; silence for one that has been overwritten meanwhile."""
    with path.open("rb") as file:
        for slot in slots:
            file.seek(slot.place * SLOT_BYTES)
            data = file.read(SLOT_BYTES)
            now = _judged(slot.place, data)
            yield _decoded(data, slot) if now == slot else bytes(slot.samples * 2)


def _read(path: Path) -> Iterator[tuple[Slot, bytes]]:
    with path.open("rb") as file:
        for place in range(_SLOTS_MAX):
            data = file.read(SLOT_BYTES)
            if len(data) < SLOT_BYTES:
                return
            if (slot := _judged(place, data)) is not None:
                yield slot, data


def _judged(place: int, data: bytes) -> Slot | None:
    """What a slot is; None for one that is empty, torn, or rubbish."""
    if len(data) < SLOT_BYTES:
        return None
    magic, schema, index, _, number, opening, wall_ms, size_bytes = _HEADER.unpack_from(data)
    if magic != _MAGIC or schema != _SCHEMA or size_bytes > _PAYLOAD_BYTES_MAX or index > _STEP_INDEX_MAX:
        return None
    (checksum,) = _SUM.unpack_from(data, _HEADER.size)
    if zlib.crc32(data[_HEAD_BYTES : _HEAD_BYTES + size_bytes], zlib.crc32(data[: _HEADER.size])) != checksum:
        return None
    return Slot(place, number, opening, wall_ms, size_bytes * 2)


def _decoded(data: bytes, slot: Slot) -> bytes:
    index, value = _HEADER.unpack_from(data)[2:4]
    payload = data[_HEAD_BYTES : _HEAD_BYTES + slot.samples // 2]
    return audioop.adpcm2lin(payload, 2, (value, index))[0]


def _lay_out(path: Path, size_bytes: int) -> None:
    """Room for all of it from the beginning, so a full disk is known now and not in the middle of a sentence."""
    half = path.with_suffix(".new")
    descriptor = os.open(half, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size_bytes)
        os.fsync(descriptor)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    half.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
