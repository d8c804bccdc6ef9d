"""Tells the core what was heard, and how loud: at the bus, and at the amplifier where the board can measure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

from edge.audio.bus import Ended
from edge.audio.card_clock import Line
from edge.audio.level import SecondMeter
from edge.audio.outbox import Outbox
from edge.audio.track import Track
from edge.core.events import (
    CardChanged,
    Event,
    LevelMeasured,
    SoundEnded,
    SoundFailing,
    SoundRecovered,
    SoundStarted,
)
from edge.ports import Clock, Meter
from protocol.clock import WallMs
from protocol.report import LEVEL_SILENCE_CDB, EndReason

_UNEXPECTED_CDB: Final = -6000
"""What a meter shows above this is sound."""


class Teller:
    """Makes the events of the sound path."""

    def __init__(self, clock: Clock, meter: Meter) -> None:
        self._clock = clock
        self._meter = meter
        self._outbox = Outbox(clock)
        self._seconds = SecondMeter()
        self._begun: list[Track] = []
        self._failing: str | None = None

    def events(self) -> AsyncIterator[Event]:
        """What has happened, as it happens."""
        return self._outbox.events()

    def begins(self, track: Track) -> None:
        """A track begins in the coming frame: told after what ends for it."""
        self._begun.append(track)

    def frame(self, line: Line, ended: Sequence[Ended]) -> None:
        """A frame was rendered: tells what began and ended in it."""
        for end in ended:
            if end.track in self._begun:
                self._tell_begun(end.track, line)
            self._outbox.put(_sound_ended(end, line), at=line.mono_at(end.position))
        for track in tuple(self._begun):
            self._tell_begun(track, line)

    def _tell_begun(self, track: Track, line: Line) -> None:
        self._begun.remove(track)
        began = SoundStarted(track.output.key, track.began)
        self._outbox.put(began, at=line.now.mono + track.began - line.now.wall)

    def failed(self, key: str, wall: WallMs) -> None:
        """An output never began."""
        self._outbox.put(SoundEnded(key, wall, wall, LEVEL_SILENCE_CDB, EndReason.SOURCE_FAILED))

    def watch(self, track: Track | None) -> None:
        """Tells when the source of what sounds gives no more, and when it gives sound again after all."""
        lasts = track is not None and track.leaves_at is None
        key = track.output.key if track is not None and lasts and track.feed.failing else None
        former, self._failing = self._failing, key
        if key is not None and key != former:
            self._outbox.put(SoundFailing(key))
        elif former is not None and key is None and lasts and track is not None and track.output.key == former:
            self._outbox.put(SoundRecovered(former))

    def card(self, *, present: bool) -> None:
        """The card went or came."""
        self._outbox.put(CardChanged(present))

    def measure(self, frame: bytes, track: Track | None, *, amplified: bool) -> None:
        """Takes a frame; tells a level once a second while the amplifier is on, or sound is heard without it."""
        level = self._seconds.add(frame)
        if level is None:
            return
        measured = self._meter.level_cdb()
        if track is not None and measured is not None:
            track.output_power.add(measured)
        if amplified or _is_sound(measured):
            self._outbox.put(LevelMeasured(self._clock.now().wall, level, measured))

    @property
    def metered(self) -> bool:
        """Whether the board measures at the amplifier's output."""
        return self._meter.level_cdb() is not None

    def measure_rest(self) -> bool:
        """Looks at the meter while nothing should sound; tells, and answers, whether something does."""
        measured = self._meter.level_cdb()
        if not _is_sound(measured):
            return False
        self._outbox.put(LevelMeasured(self._clock.now().wall, LEVEL_SILENCE_CDB, measured))
        return True


def _sound_ended(end: Ended, line: Line) -> SoundEnded:
    track = end.track
    return SoundEnded(
        key=track.output.key,
        began=track.began,
        wall=max(track.began, line.wall_at(end.position)),
        level_cdb=track.loudness.level_cdb,
        reason=end.reason,
        output_level_cdb=track.output_power.level_cdb,
    )


def _is_sound(measured_cdb: int | None) -> bool:
    return measured_cdb is not None and measured_cdb > _UNEXPECTED_CDB
