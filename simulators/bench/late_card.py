"""A sound card at the end of another program's pipe: what comes too late was not heard in time.

A program that stalls and then hurries leaves no silence in a file; before a loudspeaker it does. So each piece is
stamped as it comes, and put on the line of time on which a card with a small buffer would have played it.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_AHEAD_S: Final = 0.1
"""Of the card's buffer, as much as ours keeps; a program that is never later than this has no gap."""
_KEEP_S: Final = 60.0
_PIECE_BYTES: Final = 8192


@dataclass(frozen=True, slots=True)
class _Piece:
    """Attributes: at_s: when its first sample is heard, on the monotonic clock."""

    at_s: float
    samples: bytes


class LateCard:
    """Reads a named pipe for ever, in a thread that ends with the program at its other end.

    Args:
        skip_bytes: a header in front of the samples, which are mono and of 16 bits.
    """

    def __init__(self, pipe: Path, *, rate: int, skip_bytes: int) -> None:
        os.mkfifo(pipe)
        self._pipe, self._rate, self._skip_bytes = pipe, rate, skip_bytes
        self._pieces: deque[_Piece] = deque()
        self._lock = threading.Lock()
        threading.Thread(target=self._read, name=f"card {pipe.name}", daemon=True).start()

    def heard(self, begin_s: float, end_s: float) -> bytes:
        """Samples between two instants of the monotonic clock, with silence where nothing was there in time."""
        with self._lock:
            pieces = tuple(self._pieces)
        line = bytearray(round((end_s - begin_s) * self._rate) * 2)
        for piece in pieces:
            place = round((piece.at_s - begin_s) * self._rate) * 2
            first, last = max(0, -place), min(len(piece.samples), len(line) - place)
            if first < last:
                line[place + first : place + last] = piece.samples[first:last]
        return bytes(line)

    def _read(self) -> None:
        head, until_s = 0.0, 0.0
        held, skipped = b"", 0
        with self._pipe.open("rb", buffering=0) as pipe:
            while data := pipe.read(_PIECE_BYTES):
                now_s = time.monotonic()
                dropped = min(len(data), self._skip_bytes - skipped)
                skipped += dropped
                held += data[dropped:]
                whole = len(held) - len(held) % 2
                head = max(now_s, until_s) if until_s else now_s + _AHEAD_S
                if whole:
                    self._keep(_Piece(head, held[:whole]))
                    until_s = head + whole / 2 / self._rate
                held = held[whole:]

    def _keep(self, piece: _Piece) -> None:
        with self._lock:
            self._pieces.append(piece)
            while self._pieces[0].at_s < piece.at_s - _KEEP_S:
                self._pieces.popleft()
