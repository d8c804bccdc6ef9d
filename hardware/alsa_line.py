"""When a sound card will sound what is written next: arithmetic, corrected by what the card tells of itself.

A card's own word is coarse: USB moves on in packets of a millisecond or more, ALSA's loopback in ticks of the
kernel's timer (4 ms). So the line is drawn by counting frames, and each word of the card pulls it a little. A
device that does not pace (ALSA's `null` and `file`) gives no word at all, and counting is all there is.
"""

from __future__ import annotations

from typing import Final

from hardware.interfaces import FRAME_MS

_PULL: Final = 0.05
"""Averages 20 frames; a crystal that is 100 ppm off is followed with an error of 40 microseconds."""
_JUMP_MS: Final = 2 * FRAME_MS
"""More than a card can be wrong about itself: it really jumped."""


class CardLine:
    """The place of the next frame on the monotonic clock, in milliseconds.

    Args:
        lead_ms: from a start until its first frame is heard.
    """

    def __init__(self, lead_ms: float) -> None:
        self._lead_ms = lead_ms
        self._next_ms: float | None = None
        self._words = 0

    @property
    def running(self) -> bool:
        """Whether it has begun, and not been stopped."""
        return self._next_ms is not None

    def begin(self, now_ms: float) -> None:
        """The card starts: what is written next is heard after the lead."""
        self._next_ms = now_ms + self._lead_ms
        self._words = 0

    def stop(self) -> None:
        """The card stands still."""
        self._next_ms = None

    def count(self) -> None:
        """A frame was written."""
        assert self._next_ms is not None, "a card begins before it takes frames"
        self._next_ms += FRAME_MS

    def observe(self, now_ms: float, waiting_ms: float) -> None:
        """The card says that what is written next is heard in `waiting_ms`."""
        assert self._next_ms is not None, "a card begins before it tells of itself"
        error_ms = now_ms + waiting_ms - self._next_ms
        if abs(error_ms) > _JUMP_MS:
            self._words = 0
        self._words += 1
        self._next_ms += error_ms * max(1 / self._words, _PULL)

    def ahead_ms(self, now_ms: float) -> float:
        """How much is still to be heard; 0 when the card stands still or has run dry."""
        next_ms = self._next_ms  # asked from the event loop while a thread may stop the card
        return 0.0 if next_ms is None else max(0.0, next_ms - now_ms)

    def is_dry(self, now_ms: float) -> bool:
        """Whether the next frame comes too late to follow the last."""
        return self._next_ms is not None and self._next_ms <= now_ms

    def delay_ms(self, now_ms: float) -> float:
        """Time until what is written next is heard, if that is done now."""
        return self.ahead_ms(now_ms) or self._lead_ms
