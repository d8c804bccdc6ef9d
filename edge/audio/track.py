"""One sound on its way through the bus: its feed, its gain, and how loud it was."""

from __future__ import annotations

import audioop
from dataclasses import dataclass, field
from typing import Final

from edge.audio.fader import RAMP_SAMPLES, Fader, falling
from edge.audio.feed import Feed
from edge.audio.fit import fitted
from edge.audio.level import Loudness, PowerMean, gain
from edge.audio.source import Audible
from protocol.clock import WallMs

DUCK_GAIN: Final = 0.1
"""-20 dB under an attention tone."""


@dataclass(slots=True, eq=False)
class Track:
    """A sound that has begun.

    Attributes:
        began: when its first sample leaves.
        leaves_at: the sample of the bus before which it has to be gone; None while nothing ends it.
        lean: samples to leave out of the next frame, negative to repeat: one at most.
        loudness: how loud it was on the bus.
        output_power: how loud the board measured it at the amplifier.
    """

    output: Audible
    feed: Feed
    began: WallMs
    leaves_at: int | None = None
    lean: int = 0
    loudness: Loudness = field(default_factory=Loudness)
    output_power: PowerMean = field(default_factory=PowerMean)
    _fader: Fader = field(default_factory=Fader)
    _last_value: int = 0
    _tail: bytes = b""

    def __post_init__(self) -> None:
        self._fader.to(self._full)

    @property
    def _full(self) -> float:
        return gain(self.output.attenuation_cdb)

    @property
    def done(self) -> bool:
        """Whether it has come to its own end."""
        return self.feed.ended and not self._tail and not self._last_value

    def duck(self) -> None:
        """Goes on quietly."""
        self._fader.to(self._full * DUCK_GAIN)

    def fade_out(self) -> None:
        """Is silent one ramp from now."""
        self._fader.to(0.0)

    def exchange(self, feed: Feed) -> Feed:
        """Goes on with another feed; returns the old one."""
        old, self.feed = self.feed, feed
        self._fader = Fader()
        self._fader.to(self._full)
        return old

    def render(self, samples: int) -> bytes:
        """The next samples, with what is missing filled softly."""
        self._foresee_end(samples)
        taken = self._with_tail(self._fader.apply(self._take(samples)))
        missing = samples - len(taken) // 2
        if taken:
            self._last_value = audioop.getsample(taken, 2, len(taken) // 2 - 1)
        if missing:
            taken += self._fall(missing)
        self.loudness.add(taken)
        return taken

    def _take(self, samples: int) -> bytes:
        lean, self.lean = self.lean, 0
        taken = self.feed.take(samples + lean)
        return fitted(taken, samples) if lean else taken

    def _foresee_end(self, samples: int) -> None:
        left = self.feed.left_samples
        if left and left <= samples + RAMP_SAMPLES:
            self._fader.to(0.0, samples=left)

    def _with_tail(self, taken: bytes) -> bytes:
        """Sound that is back before the fall has ended rises while the rest of it falls."""
        tail, self._tail = self._tail[: len(taken)], self._tail[len(taken) :]
        return audioop.add(taken[: len(tail)], tail, 2) + taken[len(tail) :] if tail else taken

    def _fall(self, missing: int) -> bytes:
        """Sound that breaks off falls to nothing in a ramp, and rises in one when it comes back."""
        if self._last_value:
            self._tail = falling(self._last_value, RAMP_SAMPLES)
            self._last_value = 0
            target = self._fader.target
            self._fader = Fader()
            self._fader.to(target)
        fill, self._tail = self._tail[: missing * 2], self._tail[missing * 2 :]
        return fill.ljust(missing * 2, b"\0")
