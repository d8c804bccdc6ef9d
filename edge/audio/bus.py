"""Where tracks become one line of frames: what begins and ends does so at an exact sample.

At any sample one track sounds. The single exception is a track that goes on ducked under an attention tone.
"""

from __future__ import annotations

import audioop
from collections.abc import Callable
from dataclasses import dataclass

from edge.audio.fader import RAMP_SAMPLES
from edge.audio.limiter import Limiter
from edge.audio.track import Track
from edge.ports import FRAME_SAMPLES
from protocol.report import EndReason


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to do at a sample."""

    position: int
    act: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """A track that is over.

    Attributes:
        position: the sample of the bus at which it was gone.
    """

    track: Track
    position: int
    reason: EndReason


class Bus:
    """Renders the present tracks.

    Attributes:
        current: what sounds.
        under: what goes on quietly under the attention tone of `current`.
        position: samples rendered so far.
    """

    def __init__(self) -> None:
        self.current: Track | None = None
        self.under: Track | None = None
        self.position = 0
        self._marks: list[Mark] = []
        self._limiter = Limiter()
        self._ended: list[Ended] = []

    @property
    def sounding(self) -> bool:
        """Whether any track is there."""
        return self.current is not None or self.under is not None

    @property
    def leaves_at(self) -> int:
        """The sample from which on nothing sounds any more; in the past when nothing is leaving."""
        return max((track.leaves_at or 0 for track in self._tracks()), default=0)

    def leave(self, position: int, reason: EndReason = EndReason.SUPERSEDED) -> None:
        """Lets everything end at a sample, fading out before it."""
        for track in self._tracks():
            if track.leaves_at is None or track.leaves_at > position:
                self._end_at(track, position, reason)

    def cut(self, reason: EndReason) -> None:
        """Ends everything where it is: for when no card is there to hear a fade."""
        self._marks.clear()
        for track in self._tracks():
            self._remove(track, reason)

    def enter(self, track: Track, position: int) -> None:
        """Lets a track begin at a sample of the frame to come."""
        self._mark(position, lambda: self._put(track))

    def enter_over(self, track: Track, position: int, *, tone_samples: int) -> None:
        """Lets an alert begin over what sounds, which goes on ducked until the tone has ended."""
        self._mark(position, lambda: self._put_over(track, position + tone_samples))

    def render(self) -> bytes:
        """The next frame."""
        end = self.position + FRAME_SAMPLES
        pieces = []
        while self.position < end:
            self._act()
            stop = min([end, *(mark.position for mark in self._marks)])
            pieces.append(self._mix(stop - self.position))
            self.position = stop
        self._find_done()
        return self._limiter.apply(b"".join(pieces))

    def take_ended(self) -> list[Ended]:
        """Tracks that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def _tracks(self) -> list[Track]:
        return [track for track in (self.under, self.current) if track is not None]

    def _end_at(self, track: Track, position: int, reason: EndReason) -> None:
        track.leaves_at = position
        self._mark(max(self.position, position - RAMP_SAMPLES), track.fade_out)
        self._mark(position, lambda: self._remove(track, reason))

    def _put(self, track: Track) -> None:
        assert not self.sounding, "two sources are never mixed"
        self.current = track

    def _put_over(self, track: Track, tone_end: int) -> None:
        assert self.under is None
        self.under, self.current = self.current, track
        if self.under is not None:
            self.under.duck()
            self._end_at(self.under, tone_end, EndReason.SUPERSEDED)

    def _remove(self, track: Track, reason: EndReason) -> None:
        if track is self.under:
            self.under = None
        elif track is self.current:
            self.current = None
        else:
            return
        self._ended.append(Ended(track, self.position, reason))

    def _find_done(self) -> None:
        for track in self._tracks():
            if track.done:
                self._remove(track, EndReason.SOURCE_FAILED if track.feed.failure else EndReason.COMPLETE)

    def _mark(self, position: int, act: Callable[[], None]) -> None:
        self._marks.append(Mark(position, act))
        self._marks.sort(key=lambda mark: mark.position)

    def _act(self) -> None:
        while self._marks and self._marks[0].position <= self.position:
            self._marks.pop(0).act()

    def _mix(self, samples: int) -> bytes:
        parts = [track.render(samples) for track in self._tracks()]
        if not parts:
            return bytes(samples * 2)
        return parts[0] if len(parts) == 1 else audioop.add(parts[0], parts[1], 2)
