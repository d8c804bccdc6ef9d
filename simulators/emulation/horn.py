"""What an emulated computer's horn made audible, on the wall clock of this machine.

Its samples come with the emulated monotonic time at which they were heard. How that lies to our wall clock is
measured on the line; so a wrong clock inside is heard as sound at the wrong time, as it would be in the village.
"""

from __future__ import annotations

import time
from typing import Final

from simulators.horn import SAMPLES_PER_MS, Heard

_KEEP_S: Final = 900


def wall_ms() -> float:
    """This machine's clock."""
    return time.time_ns() / 1_000_000


class DistantHorn:
    """Silent wherever nothing came.

    Attributes:
        until_ms: everything before has arrived, if the line is up.
    """

    def __init__(self) -> None:
        self._epoch_ms = self.until_ms = wall_ms()
        self._line = bytearray(_KEEP_S * 1000 * SAMPLES_PER_MS * 2)

    def receive(self, began_ms: float, samples: bytes | int) -> None:
        """Samples, or their number when they are silent; `began_ms` is wall time."""
        first = round((began_ms - self._epoch_ms) * SAMPLES_PER_MS)
        size = samples if isinstance(samples, int) else len(samples) // 2
        self.until_ms = self._epoch_ms + (first + size) / SAMPLES_PER_MS
        if isinstance(samples, bytes) and first >= 0:
            self._line[first * 2 : first * 2 + len(samples)] = samples

    def heard(self, begin_ms: float, end_ms: float) -> Heard:
        """See `simulators.horn.SimHorn`."""
        first = max(0, round((begin_ms - self._epoch_ms) * SAMPLES_PER_MS))
        last = max(first, round((end_ms - self._epoch_ms) * SAMPLES_PER_MS))
        return Heard(self._epoch_ms + first / SAMPLES_PER_MS, bytes(self._line[first * 2 : last * 2]))
