"""Hears what another program writes into a pipe, on a uniform line of time; in its favour where there is doubt.

A pipe knows no sound card: samples come in pieces, and a piece may be late for the reader's own sake. Whoever plays
for a card is never ahead of it, so within a few seconds the earliest piece is the punctual one, and the others
followed it at the sample rate. A programme that begins after a pause begins a line of its own.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

_PIECE_BYTES: Final = 16_384
_PAUSE_S: Final = 0.25
_AROUND_S: Final = 5.0
_BYTES_MAX: Final = 500_000_000


@dataclass(frozen=True, slots=True)
class _Piece:
    """Attributes: at_s: when it came; position: of its first sample; line: which run without a pause it is of."""

    at_s: float
    position: int
    line: int
    count: int


class PipeEar:
    """Reads a named pipe in a thread, until the program at its other end closes it.

    Args:
        channels: interleaved, of 16 bits; the first one is kept.
        skip_bytes: a header in front of the samples.
    """

    def __init__(self, pipe: Path, *, rate: int, channels: int = 1, skip_bytes: int = 0) -> None:
        if not pipe.exists():
            os.mkfifo(pipe)
        self._pipe, self.rate, self._frame = pipe, rate, channels * 2
        self._left_to_skip = skip_bytes
        self._pieces: list[_Piece] = []
        self._samples = bytearray()
        self._lock = threading.Lock()
        threading.Thread(target=self._read, name=f"ear {pipe.name}", daemon=True).start()

    @property
    def heard_samples(self) -> int:
        """How many came so far."""
        return len(self._samples) // 2

    def heard(self, begin_s: float, end_s: float) -> tuple[float, NDArray[np.int16]]:
        """Samples between two instants of the monotonic clock, and the instant of the first of them.

        Of several lines that sound then, the last; nothing when none does.
        """
        with self._lock:
            near = [one for one in self._pieces if begin_s - _AROUND_S <= one.at_s <= end_s + _AROUND_S]
            lines = sorted({one.line for one in near if begin_s - 1 <= one.at_s <= end_s + 1})
            of_line = [one for one in near if lines and one.line == lines[-1]]
            if not of_line:
                return begin_s, np.empty(0, dtype=np.int16)
            origin_s = min(one.at_s - one.position / self.rate for one in of_line)
            first, last = of_line[0].position, of_line[-1].position + of_line[-1].count
            begin = min(last, max(first, round((begin_s - origin_s) * self.rate)))
            end = min(last, max(begin, round((end_s - origin_s) * self.rate)))
            found = np.frombuffer(bytes(self._samples[begin * 2 : end * 2]), dtype="<i2")
            return origin_s + begin / self.rate, found

    def _read(self) -> None:
        held, line, last_s = b"", 0, 0.0
        with self._pipe.open("rb", buffering=0) as pipe:
            while (data := pipe.read(_PIECE_BYTES)) and len(self._samples) < _BYTES_MAX:
                now_s = time.monotonic()
                skipped = min(len(data), self._left_to_skip)
                self._left_to_skip -= skipped
                held += data[skipped:]
                whole = len(held) - len(held) % self._frame
                frames = np.frombuffer(held[:whole], dtype="<i2").reshape(-1, self._frame // 2)
                held = held[whole:]
                if not len(frames):
                    continue
                line += now_s - last_s > _PAUSE_S
                last_s = now_s
                with self._lock:
                    self._pieces.append(_Piece(now_s, len(self._samples) // 2, line, len(frames)))
                    self._samples += frames[:, 0].tobytes()
