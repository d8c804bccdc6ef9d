"""Behaviour, section 5: "Time steps do not repeat or skip a slot silently: each occurrence plays at most once."

Sections 1 and 6 allow it to go on: at the present wall-clock offset, or from its beginning after a power cut where
its `catch_up` says so. The same part is never heard twice, and what has come to its end, or was stopped ("the end of
what was stopped is on the log", section 2), is over. A stored message
sounds once for each press, from its beginning. Allowed: as much as the believed hour was set back meanwhile, since
the offset follows the hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edge.core.events import Booted
from edge.core.output import MessageOutput, Output, ProgrammeOutput
from protocol.bulletin import CatchUp
from protocol.clock import WallMs
from protocol.report import EndReason
from protocol.schedule import Schedule
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.trace import Record

SLACK_MS: Final = 2500
"""A handover, and the second for which the sound path may be late to tell an end."""
_END_MS: Final = 1500
_KEPT: Final = 200
Key = tuple[str, object, str | None, WallMs]


@dataclass(slots=True)
class Heard:
    """How far an occurrence was heard, as a position in its sound.

    Attributes:
        reached_ms: the farthest.
        error_ms: of the believed hour when it was heard.
        whole: it came to its end, or was stopped.
        boots: power cuts until then.
    """

    reached_ms: int = 0
    error_ms: int = 0
    whole: bool = False
    boots: int = 0


class Once:
    """Keeps for each occurrence how far it was heard."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._heard: dict[Key, Heard] = {}
        self._began: dict[str, dict[str, tuple[WallMs, int, int]]] = {}
        self._messages: set[tuple[str, str]] = set()
        self._boots: dict[str, int] = {}
        truth.on("sound.began", self._begin)
        truth.on("sound.ended", self._end)
        truth.on(Booted, self._booted)

    def _booted(self, box: Box, _: Record) -> None:
        self._boots[box.name] = self._boots.get(box.name, 0) + 1
        self._messages = {one for one in self._messages if one[0] != box.name}  # keys count from this boot's zero

    def _begin(self, box: Box, record: Record) -> None:
        output = record.thing.output
        if isinstance(output, MessageOutput):
            if (box.name, output.key) in self._messages:
                self._tell(box.name, "once", f"message {output.number} sounds again after one press")
            self._messages.add((box.name, output.key))
        error_ms = box.error_ms(record.at)
        if not isinstance(output, ProgrammeOutput) or error_ms is None:
            return
        at_ms = record.at + error_ms - output.origin
        self._began.setdefault(box.name, {})[output.key] = (record.at, at_ms, error_ms)
        former = self._heard.get(_key(box, output))
        if former is None:
            return
        if self._catch_up(box, output, former) is CatchUp.SKIP and not box.spoiled:
            self._tell(box.name, "once", f"{output.item}@{output.start} goes on after a cut and is to be skipped")
            return
        if self._catch_up(box, output, former) is CatchUp.RESTART and not former.whole:
            self._heard.pop(_key(box, output))
            return
        moved_ms = abs(error_ms - former.error_ms)
        if former.whole:
            self._tell(box.name, "once", f"{output.item}@{output.start} begins again after its end")
        elif at_ms < former.reached_ms - moved_ms - SLACK_MS:
            words = f"{output.item}@{output.start} goes on at {at_ms} ms, heard up to {former.reached_ms} ms"
            self._tell(box.name, "once", words)

    def _catch_up(self, box: Box, output: ProgrammeOutput, former: Heard) -> CatchUp | None:
        """What the signed item says of a cut; None when there was none since it was heard."""
        if self._boots.get(box.name, 0) == former.boots:
            return None
        signed = self._truth.world.offices.signed.get(output.document)
        schedule = signed.document if signed is not None else None
        items = schedule.items if isinstance(schedule, Schedule) else ()
        return next((one.catch_up for one in items if one.id == output.item), None)

    def _end(self, box: Box, record: Record) -> None:
        output = record.thing.output
        began = self._began.get(box.name, {}).pop(output.key, None)
        if began is None or not isinstance(output, ProgrammeOutput):
            return
        reached_ms = began[1] + record.at - began[0]
        one = self._heard.setdefault(_key(box, output), Heard())
        one.reached_ms = max(one.reached_ms, reached_ms)
        error_ms = box.error_ms(record.at)
        one.error_ms = began[2] if error_ms is None else error_ms  # with the power goes what the box believed
        complete = record.thing.reason is EndReason.COMPLETE
        wall = self._papers.wall(box)
        stopped = wall is not None and self._papers.held[box.name].is_stopped(wall) and box.booted is not None
        one.whole = one.whole or stopped or (complete and reached_ms >= output.media.duration_ms - _END_MS)
        one.boots = self._boots.get(box.name, 0)
        while len(self._heard) > _KEPT * len(self._truth.boxes):
            self._heard.pop(next(iter(self._heard)))

    def end(self) -> None:
        """See `Rule`."""


def _key(box: Box, output: Output) -> Key:
    assert isinstance(output, ProgrammeOutput), "only programmes have a position"
    return box.name, output.scope, output.item, output.start
