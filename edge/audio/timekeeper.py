"""Keeps a programme where the clock says, although the card has a crystal of its own and sometimes stumbles.

Two cards differ by up to 100 parts in a million: after an hour two horns would be a third of a second apart, which
is heard as an echo; and each underrun adds its gap. So a programme that lies beside its place is brought back: a
little by one sample in a frame, left out or repeated where it is heard least (about 1,000 parts in a million); much,
after a card has stood still, by skipping what should have sounded meanwhile. It is brought back to its place, not to
the edge of what is let be: there a card that is too fast and one that is too slow would stay twice that apart.
"""

from __future__ import annotations

import logging
from typing import Final

from edge.audio.card_clock import Line
from edge.audio.track import Track
from edge.core.output import ProgrammeOutput
from edge.ports import SAMPLE_RATE

_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000
_BESIDE_MS: Final = 1.5
"""Less than this is the rounding of the clock, and nobody hears it."""
_IN_PLACE_MS: Final = 0.3
_JUMP_MS: Final = 30.0
"""From here on two horns are heard as two, and one sample a frame would take half a minute."""
_log = logging.getLogger(__name__)


class Timekeeper:
    """Follows one programme after another."""

    def __init__(self) -> None:
        self._followed: object = None
        self._begin = (0.0, 0)
        self._leaning = False

    def keep(self, track: Track | None, line: Line) -> None:
        """Brings the track back to its place; to be called once for each frame, before it is rendered."""
        if track is None or not isinstance(track.output, ProgrammeOutput):
            self._followed = None
            return
        if track.feed is not self._followed:
            self._followed, self._begin = track.feed, (line.heard_ms, line.position)
            self._leaning = False
            return
        heard_ms, position = self._begin
        late_ms = line.heard_ms - heard_ms - (line.position - position) / _SAMPLES_PER_MS
        self._leaning = abs(late_ms) > (_IN_PLACE_MS if self._leaning else _BESIDE_MS)
        if late_ms > _JUMP_MS:
            self._jump(track, round(late_ms * _SAMPLES_PER_MS))
        elif self._leaning:
            self._lean(track, 1 if late_ms > 0 else -1)

    def _jump(self, track: Track, samples: int) -> None:
        track.feed.skip(samples)
        self._moved(samples)
        _log.warning(
            "the card stood still for %d ms: the programme goes on where it belongs", samples / _SAMPLES_PER_MS
        )

    def _lean(self, track: Track, samples: int) -> None:
        track.lean = samples
        self._moved(samples)

    def _moved(self, samples: int) -> None:
        heard_ms, position = self._begin
        self._begin = (heard_ms, position - samples)
