"""A horn behind the guardian's relay: it hears the computer's card, the guardian's own tuner, or nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from edge.ports import FRAME_BYTES, FRAME_MS
from simulators.horn import SAMPLES_PER_MS, SimHorn
from simulators.loop_clock import LoopClock


class Through(StrEnum):
    """What the relay lets through."""

    SILENCE = "silence"
    COMPUTER = "computer"
    FM = "fm"


class GuardedHorn(SimHorn):
    """A `SimHorn` with a relay before its amplifier, at rest at first.

    Args:
        fm: the frame that the tuner makes at an instant.
    """

    def __init__(self, clock: LoopClock, fm: Callable[[float], bytes], *, keep_s: int = 120) -> None:
        super().__init__(clock, keep_s=keep_s)
        self._fm = fm
        self._through = Through.SILENCE
        self._changes: deque[tuple[int, Through]] = deque()

    def let_through(self, mono_ms: float, through: Through) -> None:
        """The relay moves."""
        self._advance()
        self._changes.append((self._position(mono_ms), through))

    def keep_up(self) -> None:
        """Hears all up to now: before the ether changes, and now and then while FM is on."""
        self._advance()

    def _mixed(self, end: int) -> bytearray:
        computer = super()._mixed(end)
        out = bytearray()
        at = self._until
        while at < end:
            while self._changes and self._changes[0][0] <= at:
                self._through = self._changes.popleft()[1]
            stop = min(end, self._changes[0][0]) if self._changes else end
            out += self._piece(computer, at, stop)
            at = stop
        return out

    def _piece(self, computer: bytearray, at: int, stop: int) -> bytes:
        size = (stop - at) * 2
        if self._through is Through.COMPUTER:
            begin = (at - self._until) * 2
            return bytes(computer[begin : begin + size])
        if self._through is Through.SILENCE:
            return bytes(size)
        frames = -(-size // FRAME_BYTES)
        began_ms = self._epoch_ms + at / SAMPLES_PER_MS
        return b"".join(self._fm(began_ms + count * FRAME_MS) for count in range(frames))[:size]
