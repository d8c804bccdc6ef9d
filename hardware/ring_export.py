"""Makes a WAV file of what the ring holds, for an auditor with any audio program.

Each stretch (from an opening of the microphone to its closing, or to a place that is damaged) is marked by a cue
point whose label is the wall time of its first sample, in the time of Viet Nam; a second of silence stands
between two. Source of the `cue ` and `LIST adtl labl` chunks: Multimedia Programming Interface and Data
Specifications 1.0, IBM and Microsoft, August 1991.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO, Final

from hardware.sound_ring import RING_RATE, Slot, slots_of, sound_of

GAP_MS: Final = 1000
_GAP: Final = bytes(RING_RATE * GAP_MS // 1000 * 2)
_ZONE: Final = timezone(timedelta(hours=7))
_HEAD: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sound without a gap.

    Attributes:
        wall_ms: wall time of its first sample.
        offset_ms: where it begins in the exported file.
        duration_ms: how long it is.
    """

    wall_ms: int
    offset_ms: int
    duration_ms: int


def export(ring: Path, path: Path) -> list[Stretch]:
    """Writes all that is in a ring, the oldest first, as 16-bit mono WAV; also while the microphone is open.

    Returns:
        The stretches, in their order; none, and a WAV without sound, when there is nothing.

    Raises:
        OSError: the ring cannot be read, or the file cannot be written; a half one is not left behind.
    """
    slots = slots_of(ring)
    stretches = _stretches(slots)
    half = path.with_name(path.name + ".half")
    try:
        with half.open("wb") as out:
            os.fchmod(out.fileno(), 0o600)
            _write(out, ring, slots, stretches)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return stretches


def _stretches(slots: list[Slot]) -> list[Stretch]:
    stretches: list[Stretch] = []
    offset = 0
    for index, slot in enumerate(slots):
        length_ms = slot.samples * 1000 // RING_RATE
        if index and _follows(slot, slots[index - 1]):
            last = stretches.pop()
            stretches.append(Stretch(last.wall_ms, last.offset_ms, last.duration_ms + length_ms))
        else:
            offset += len(_GAP) // 2 if index else 0
            stretches.append(Stretch(slot.wall_ms, offset * 1000 // RING_RATE, length_ms))
        offset += slot.samples
    return stretches


def _follows(slot: Slot, before: Slot) -> bool:
    return slot.number == before.number + 1 and slot.opening == before.opening


def _write(out: BinaryIO, ring: Path, slots: list[Slot], stretches: list[Stretch]) -> None:
    data_bytes = sum(slot.samples for slot in slots) * 2 + max(0, len(stretches) - 1) * len(_GAP)
    tail = _cues(stretches) if stretches else b""
    riff_bytes = _HEAD.size - 8 + data_bytes + len(tail)
    out.write(
        _HEAD.pack(
            *(b"RIFF", riff_bytes, b"WAVE", b"fmt ", 16, 1, 1, RING_RATE, RING_RATE * 2, 2, 16, b"data", data_bytes)
        )
    )
    for index, samples in enumerate(sound_of(ring, slots) if slots else ()):
        if index and not _follows(slots[index], slots[index - 1]):
            out.write(_GAP)
        out.write(samples)
    out.write(tail)


def _cues(stretches: list[Stretch]) -> bytes:
    points, labels = b"", b"adtl"
    for number, stretch in enumerate(stretches, 1):
        place = stretch.offset_ms * RING_RATE // 1000
        points += struct.pack("<II4sIII", number, place, b"data", 0, 0, place)
        moment = datetime.fromtimestamp(stretch.wall_ms / 1000, UTC).astimezone(_ZONE)
        labels += _chunk(b"labl", struct.pack("<I", number) + moment.isoformat(timespec="seconds").encode() + b"\0")
    return _chunk(b"cue ", struct.pack("<I", len(stretches)) + points) + _chunk(b"LIST", labels)


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
