"""From one sound to the next, to the sample.

The old sound has faded out at the cue's instant, and the new one begins there; when its source or the amplifier is
not ready yet, it begins as soon as they are. Only an alert is put over a programme, message, relay or live session,
which goes on ducked under its attention tone.

A live session or stream that gives way to something below it has failed or ended, and goes on from what is held of it
until that is ready: no gap. A programme goes on the same way until a live session has gathered its first second, and
FM that stands in until a web radio is there; the core, which watches its gate, says when it may not.
"""

from __future__ import annotations

import logging
from typing import Final

from edge.audio.amplifier_line import AmplifierLine
from edge.audio.bus import Bus
from edge.audio.card_clock import Line
from edge.audio.closing import Closing
from edge.audio.cue import Cue
from edge.audio.fader import RAMP_SAMPLES
from edge.audio.source import Audible, Opened
from edge.audio.teller import Teller
from edge.audio.track import Track
from edge.core.output import (
    AlertOutput,
    FmOutput,
    LiveOutput,
    MicrophoneOutput,
    Output,
    ProgrammeOutput,
    Rung,
    Silence,
    StreamOutput,
)
from edge.ports import SAMPLE_RATE, PortError
from protocol.clock import MonoMs, WallMs

_SAMPLES_PER_MS: Final = SAMPLE_RATE // 1000

_log = logging.getLogger(__name__)


class Handover:
    """The cue, and what becomes of it on the bus.

    Attributes:
        cue: the switch that is to come.
    """

    def __init__(self, bus: Bus, *, amplifier: AmplifierLine, teller: Teller, closing: Closing) -> None:
        self._bus = bus
        self._amplifier = amplifier
        self._teller = teller
        self._closing = closing
        self.cue: Cue | None = None

    def plan(self, cue: Cue | None) -> None:
        """Puts a cue in place of the one before, or none."""
        old, self.cue = self.cue, cue
        if old is not None:
            self._closing.start(old.drop())

    def sounds(self, output: Output) -> bool:
        """Whether this output sounds, and will go on."""
        current = self._bus.current
        return current is not None and current.output.key == output.key and current.leaves_at is None

    def is_due(self, mono: MonoMs) -> bool:
        """Whether the cue's instant has come."""
        return self.cue is not None and self.cue.at <= mono

    def wants_amplifier(self, mono: MonoMs) -> bool:
        """Whether something sounds, or will within the lead-in."""
        return self._bus.sounding or (
            self.cue is not None
            and not isinstance(self.cue.output, Silence)
            and self.cue.at - self._amplifier.lead_in_ms <= mono
        )

    def follow(self, line: Line) -> None:
        """Does what the cue wants done in the coming frame."""
        cue = self.cue
        if cue is None:
            return
        if isinstance(cue.output, StreamOutput) and cue.broken:
            self.drop_broken(line.now.wall)
            return
        over = self._goes_over(cue.output)
        at = line.position_at(cue.at)
        stays = over or self._bridges(cue)
        if self._bus.sounding and not stays and at - RAMP_SAMPLES < line.end:
            self._bus.leave(max(at, line.position + RAMP_SAMPLES, cue.belongs_at(line)))
        begin = max(at, line.position, 0 if over else self._bus.leaves_at)
        if isinstance(cue.output, Silence):
            self.cue = cue if begin >= line.end else None
            return
        begin = max(begin, line.position_at(self._amplifier.ready_at(line.now.mono)))
        if begin < line.end:
            self._begin(cue, cue.output, begin=begin, line=line)

    def drop_broken(self, wall: WallMs) -> None:
        """Tells at once that a stream cannot be had, so that its second is not waited for."""
        cue = self.cue
        if cue is not None and isinstance(cue.output, StreamOutput) and cue.broken:
            self.plan(None)
            self._teller.failed(cue.output.key, wall)

    def _bridges(self, cue: Cue) -> bool:
        """Whether what sounds goes on until what follows is ready."""
        current = self._bus.current
        if current is None or current.leaves_at is not None or isinstance(cue.output, Silence) or cue.ready:
            return False
        fades = isinstance(current.output, LiveOutput | StreamOutput) and cue.output.rung > current.output.rung
        stands_in = isinstance(current.output, FmOutput) and current.output.rung is Rung.FM_FALLBACK
        gathers = isinstance(cue.output, LiveOutput) and isinstance(current.output, ProgrammeOutput)
        return fades or gathers or (isinstance(cue.output, StreamOutput) and stands_in)

    def _goes_over(self, output: Output) -> bool:
        """Whether this is an alert whose tone ducks what sounds, instead of ending it."""
        current = self._bus.current
        return (
            isinstance(output, AlertOutput)
            and current is not None
            and not isinstance(current.output, AlertOutput | MicrophoneOutput)
            and current.leaves_at is None
        )

    def _begin(self, cue: Cue, output: Audible, *, begin: int, line: Line) -> None:
        try:
            opened = cue.take()
        except PortError as error:
            _log.warning("%s has no sound: %s", output.key, error)
            self._teller.failed(output.key, line.now.wall)
            self.cue = None
            self._bus.leave(line.position + RAMP_SAMPLES)
            return
        if opened is None:
            return
        position = cue.place(opened, begin=begin, line=line)
        if position is None:
            self._closing.start(opened.feed.close())
        elif position >= line.end:
            cue.put_back(opened)
        else:
            self._enter(output, opened, position=position, line=line)

    def _enter(self, output: Audible, opened: Opened, *, position: int, line: Line) -> None:
        track = Track(output, opened.feed, began=line.wall_at(position))
        if isinstance(output, AlertOutput) and self._goes_over(output):
            self._bus.enter_over(track, position, tone_samples=output.tone_ms * _SAMPLES_PER_MS)
        else:
            self._bus.enter(track, position)
        self._teller.begins(track)
        self.cue = None
