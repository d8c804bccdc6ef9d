"""Pain 18: "card worn out, disk full (10 GB of logs in 6 days)": a budget of 20 MB a day is written, and everything
that a device remembers is bounded, whatever is sent to it. Sounds that nothing names any more go when all that is
named is there.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from protocol.clock import WallMs
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.disk import LETTERS_MAX
from simulators.world.trace import Record

LOOK_MS: Final = 3 * 3_600_000
WRITTEN_BYTES_A_DAY: Final = 20_000_000
REGISTERS_BYTES_MAX: Final = 256 * 1024
_COUNTS: Final = {
    "trust.grants": 64,
    "trust.documents": 128,
    "trust.cancelled": 64,
    "trust.deferred": 64,
    "trust.orphans": 16,
    "trust.refused": 64,
    "trust.obeyed": 64,
    "progress": 1000,
    "announced": 128,
    "lives": 64,
    "fm.barred": 64,
    "sound.told": 16,
    "sound.begun": 16,
    "sound.endings": 16,
    "sound.levels": 900,
    "sound.resting": 16,
    "faults": 30,
}
"""What of the agent's memory may be how long; lists of the core's own limits, written down once more."""


class Bounded:
    """Looks every few hours and at the end."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._spare: dict[str, frozenset[str]] = {}
        self._written: dict[str, int] = {}
        self._told: set[tuple[str, str]] = set()
        for name, box in truth.boxes.items():
            self._written[name] = box.device.card.bytes_written
            truth.at(WallMs(truth.world.trace_wall() + LOOK_MS), box, partial(self._again, box))
        truth.on("report.status", self._status)

    def _status(self, box: Box, _: Record) -> None:
        """What nothing named at two statuses in a row, with all there and the hour believed, ought to be deleted."""
        held, card = self._papers.held[box.name], box.device.card
        wall, stored = self._papers.wall(box), frozenset(card.media)
        named = frozenset() if wall is None else held.media(wall)
        well = wall is not None and not box.device.hindrances.lately(self._truth.now)
        idle = well and not card.broken and held.schedules() and named <= stored
        former, self._spare[box.name] = self._spare.get(box.name), stored - named if idle else frozenset()
        if former and former & self._spare[box.name] and not box.sounding:
            self._at_most(box, "sounds that nothing names", len(former & self._spare[box.name]), 0)

    def _again(self, box: Box) -> None:
        self._look(box)
        self._truth.at(WallMs(self._truth.now + LOOK_MS), box, partial(self._again, box))

    def _look(self, box: Box) -> None:
        card, state = box.device.card, box.device.state
        written, self._written[box.name] = card.bytes_written - self._written[box.name], card.bytes_written
        self._at_most(box, "bytes written in three hours", written, WRITTEN_BYTES_A_DAY)
        self._at_most(box, "bytes of registers", len(card.registers or b""), REGISTERS_BYTES_MAX)
        self._at_most(box, "letters", len(card.letters), LETTERS_MAX)
        self._at_most(box, "stored documents", len(card.documents), 256)
        if state is None:
            return
        for name, most in _COUNTS.items():
            held: object = state
            for part in name.split("."):
                held = getattr(held, part)
            self._at_most(box, name, len(held), most)  # type: ignore[arg-type]

    def _at_most(self, box: Box, what: str, count: int, most: int) -> None:
        if count > most and (box.name, what) not in self._told:
            self._told.add((box.name, what))
            self._tell(box.name, "bounded", f"{count} {what}, at most {most}")

    def end(self) -> None:
        """See `Rule`."""
        for box in self._truth.boxes.values():
            self._look(box)
