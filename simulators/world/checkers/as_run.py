"""Behaviour, section 7: "Each as-run record carries what, why, from when to when, and the measured output level", and
the aim: every audible second is on the log, and the controller's log equals the village's.

Judged from both sides: each record that reaches the controller tells of a sound that was really heard then (by the
device's own hour), at the end of the world each sound that was heard is on the controller's log, and each record that
it took in is stored: a device keeps it until it is told that it is. What an old backup does not have is excused, and
a letter that was lost with the device's card before the controller could store it (its disk full, then a crash).
Allowed to be missing: what sounded when the power was cut (nobody was left to write it down; what is missing of the
item is told as lost), what ended seconds before one, since the outbox is not forced to the card
(`edge.adapters.outbox`), and what a card has lost. What was broken up or silenced on its way to the ear
(`device.hindrances`) is on the log as the agent knew it. Reports are unsigned: what somebody at the broker made up in
a device's name is no word of the device (threat_model.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from edge.core.output import FmOutput, MessageOutput, Output, ProgrammeOutput, StreamOutput
from protocol import codec
from protocol.clock import WallMs
from protocol.limits import REPORT_BYTES_MAX
from protocol.report import AsRun
from protocol.topics import up_topic
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.trace import Record

_EDGE_MS: Final = 1500
"""An end is told when it has passed; the hour may be corrected meanwhile."""
_MOVED_MS: Final = 61_000
_BEFORE_CUT_MS: Final = 30_000
_RECENT_MS: Final = 3_600_000
_SHORT_MS: Final = 1000
_BATCH_MS: Final = 120_000
"""A report waits in the controller's memory for its batch, and while its disk fails for the next try."""


@dataclass(slots=True)
class Span:
    """A sound that was heard, by true time and by the device's hour at its end.

    Attributes:
        told: a record of it reached the controller.
        excused: it may be missing there.
    """

    output: Output
    began: WallMs
    ended: WallMs
    error_ms: int | None
    told: bool = False
    excused: bool = False


class AsRunLog:
    """Matches what was heard with what is told."""

    def __init__(self, truth: Truth, _: Papers, tell: Tell) -> None:
        self._truth, self._tell = truth, tell
        self._began: dict[tuple[str, str], WallMs] = {}
        self._spans: dict[str, list[Span]] = {name: [] for name in truth.boxes}
        self._ids: dict[str, dict[str, WallMs]] = {name: {} for name in truth.boxes}
        self._gone: set[tuple[str, str]] = set()
        truth.on("sound.began", self._begin)
        truth.on("sound.ended", self._end)
        truth.on("power.off", self._cut)
        truth.on("letters.lost", self._lost)
        truth.on("report.asrun", self._report)

    def _begin(self, box: Box, record: Record) -> None:
        self._began[box.name, record.thing.output.key] = record.at

    def _end(self, box: Box, record: Record) -> None:
        output = record.thing.output
        began = self._began.pop((box.name, output.key), None)
        if began is not None:
            dark = box.powered is None or box.booted is None
            span = Span(output, began, record.at, box.error_ms(record.at), excused=dark)
            self._spans[box.name].append(span)
            # What ends a sound is known to have begun when that instant is over.
            self._truth.at(record.at, box, partial(self._look_why, box, span))

    @staticmethod
    def _look_why(box: Box, span: Span) -> None:
        span.excused = span.excused or box.device.hindrances.during(span.began, span.ended)

    def _cut(self, box: Box, record: Record) -> None:
        for span in reversed(self._spans[box.name]):
            if span.ended < record.at - _BEFORE_CUT_MS:
                break
            span.excused = True

    def _lost(self, box: Box, record: Record) -> None:
        for letter in record.thing:
            if letter.topic == up_topic(box.name, AsRun):
                run = codec.decode(AsRun, letter.payload, bytes_max=REPORT_BYTES_MAX)
                # A confirmed letter is not on the card any more, so of this one nobody had said that it is stored.
                self._gone.add((box.name, run.id))
                for span in self._spans[box.name]:
                    span.excused = span.excused or _tells(run, span)

    def _is_broken(self, box: Box, run: AsRun) -> bool:
        error_ms = box.error_ms(self._truth.now) or 0
        begin, end = run.began - error_ms - _MOVED_MS, run.ended - error_ms + _MOVED_MS
        return box.device.hindrances.during(WallMs(begin), WallMs(end))

    def _report(self, box: Box, record: Record) -> None:
        run = record.thing
        assert isinstance(run, AsRun), "what the controller took in"
        false = run.id in self._truth.world.front.false_reports
        known = run.id in self._ids[box.name]
        if not false:
            self._ids[box.name][run.id] = record.at
        if false or known or run.source == "lost":
            return
        fitting = (one for one in self._spans[box.name] if not one.told and _tells(run, one))
        # A station that comes and goes sounds many times alike, and a device that was cut off tells of all at once.
        found = min(fitting, key=lambda one: abs(run.ended - one.ended - (one.error_ms or 0)), default=None)
        if found is None and self._is_broken(box, run):
            return
        if found is None:
            self._tell(
                box.name, "as_run", f"{run.source[:40]} on rung {run.rung} at {run.began} was not heard like that"
            )
        else:
            found.told = True

    def end(self) -> None:
        """See `Rule`."""
        self._look_for_stored()
        for name, spans in self._spans.items():
            for span in spans:
                recent = span.ended > self._truth.now - _RECENT_MS
                short = span.ended - span.began < _SHORT_MS
                if not (span.told or span.excused or recent or short):
                    words = f"{span.output.key[:60]} was heard at {span.began} for {span.ended - span.began} ms"
                    self._tell(name, "as_run", f"{words} and is not on the controller's log")

    def _look_for_stored(self) -> None:
        controller = self._truth.world.controller
        known = self._gone.union((row["device"], row["id"]) for row in controller.as_run())
        for name, ids in self._ids.items():
            for one, at in ids.items():
                lost = any(since - _BATCH_MS <= at <= until for since, until in controller.lost)
                recent = at > self._truth.now - _RECENT_MS
                if (name, one) not in known and not (lost or recent):
                    self._tell(name, "as_run", f"{one} was taken in at {at} and is not stored")


def _tells(run: AsRun, span: Span) -> bool:
    """Whether a record is of this sound: what, why, and when by the device's own hour."""
    output: Any = span.output
    if run.rung != output.rung or run.source != _source(output):
        return False
    if getattr(output, "document", None) not in (None, run.document):
        return False
    length_ms = span.ended - span.began
    if (
        abs(run.ended - run.began - length_ms)
        > _EDGE_MS + (_MOVED_MS if span.error_ms is None else 0) + length_ms // 1000
    ):
        return _is_moved(run, length_ms)
    return span.error_ms is None or abs(run.ended - span.ended - span.error_ms) <= _MOVED_MS


def _is_moved(run: AsRun, length_ms: int) -> bool:
    """The hour was corrected while it sounded: its beginning was told when it was."""
    return abs(run.ended - run.began - length_ms) <= _MOVED_MS


def _source(output: Output) -> str:
    if isinstance(output, ProgrammeOutput | MessageOutput):
        return output.media.digest
    if isinstance(output, StreamOutput):
        return output.address[:200]
    if isinstance(output, FmOutput):
        return f"fm {output.frequency_khz} kHz"
    return output.key.partition("/")[0]
