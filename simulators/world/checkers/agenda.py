"""What of the schedules is surely due on a device at an instant, by its own hour: behaviour.md, sections 1, 3 and 6.

"Surely": where the rules leave a choice (a start that a stop swallowed, a source that has just failed) nothing is
said to be due. Worked out from the papers, the card and what was heard; the core's plan is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from edge.core.output import FmOutput, Output, ProgrammeOutput, Rung, StreamOutput
from protocol.bulletin import BulletinClass, CatchUp
from protocol.clock import DAY_MS, WallMs
from protocol.report import EndReason
from protocol.schedule import Item, Programme
from protocol.units import UnitPath, addresses
from simulators.world.checkers.holding import Held, may_speak
from simulators.world.checkers.truth import Box

FRESH_MS: Final = 1500
REMAINING_MS_MIN: Final = 32_000
"""Section 1: an interrupted rung goes on if 30 s of it remain; a little more is needed to be sure."""
_BEHIND_MS: Final = 4 * 3_600_000
_FAILURES_MAX: Final = 3
_AGAIN_MS: Final = 3000


@dataclass(slots=True)
class Occurrence:
    """One start of one item on one device.

    Attributes:
        begun: everything was there when it began.
        doubtful: something that leaves the rules a choice happened to it.
        done: it was heard to its end, stopped or given up.
        failed: when its source last failed, and how often it did.
    """

    scope: UnitPath
    item: Item
    start: WallMs
    begun: bool = False
    doubtful: bool = False
    done: bool = False
    failed: tuple[WallMs, int] = (WallMs(0), 0)

    @property
    def end(self) -> WallMs:
        """Planned end."""
        return WallMs(self.start + self.item.content.duration_ms)

    @property
    def rung(self) -> Rung:
        """Where it stands on the ladder."""
        if not isinstance(self.item.content, Programme):
            return Rung.FM_SLOT
        return Rung.PRIORITY if self.item.bulletin_class is BulletinClass.PRIORITY else Rung.ORDINARY


@dataclass(slots=True)
class Agenda:
    """The occurrences of one device from a few hours ago to a day ahead.

    Attributes:
        stored: digests of the sounds that the agent was told are there.
    """

    found: dict[tuple[UnitPath, str, WallMs], Occurrence] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    made: WallMs = WallMs(0)

    def make(self, held: Held, wall: WallMs) -> None:
        """Works them out anew; what is known of those that stay is kept."""
        former, self.found, self.made = self.found, {}, wall
        for _, schedule in held.schedules():
            for item in schedule.items:
                if not addresses(item.targets, held.place) or not may_speak(item, schedule.scope, held.place):
                    continue
                begin, end = WallMs(wall - _BEHIND_MS), WallMs(wall + DAY_MS)
                for start in item.when.between(begin, min(end, schedule.expires)):
                    key = (schedule.scope, item.id, start)
                    known = former.get(key)
                    if known is None or known.item != item:
                        known = Occurrence(schedule.scope, item, start, done=known is not None and known.done)
                    self.found[key] = known

    def of(self, output: Output) -> Occurrence | None:
        """The occurrence that an output sounds."""
        if not isinstance(output, ProgrammeOutput | FmOutput | StreamOutput):
            return None
        if output.scope is None or output.item is None or output.start is None:
            return None
        return self.found.get((output.scope, output.item, output.start))

    def ended(self, output: Output, reason: EndReason, at: WallMs) -> None:
        """What a sound's end means for its occurrence."""
        one = self.of(output)
        if one is None:
            return
        if reason in (EndReason.COMPLETE, EndReason.STOPPED) and isinstance(output, ProgrammeOutput):
            one.done = True
        elif reason is EndReason.SOURCE_FAILED:
            one.failed = (at, one.failed[1] + 1)

    def power_cut(self, wall: WallMs) -> None:
        """Section 6: the running item goes on by its policy."""
        for one in self.found.values():
            if one.start <= wall and one.item.catch_up is CatchUp.SKIP:
                one.done = True

    def forgotten(self, wall: WallMs) -> None:
        """A card that had lied gave back an older state: what had begun may count as never begun."""
        for one in self.found.values():
            one.doubtful = one.doubtful or one.start <= wall < one.end

    def stopped(self, wall: WallMs) -> None:
        """A stop is in force: what it ended is over (section 2), and what would have begun meanwhile may be."""
        for one in self.found.values():
            one.doubtful = one.doubtful or one.start <= wall < one.end

    def edges(self, wall: WallMs) -> WallMs:
        """When the next one begins or ends, or stops being worth going on with."""
        soonest = wall + DAY_MS
        for one in self.found.values():
            for edge in (one.start, one.end - REMAINING_MS_MIN, one.end):
                if wall < edge < soonest:
                    soonest = edge
        return WallMs(soonest)

    def due(self, box: Box, held: Held, wall: WallMs, now: WallMs) -> Occurrence | None:
        """The highest programme that surely has something to say.

        Args:
            wall: the hour that the device believes; `now` is the true one.
        """
        best: Occurrence | None = None
        sounding = {one.key: one for one, _ in box.sounding.values()}
        for one in self.found.values():
            if wall >= one.end:
                one.doubtful = True  # it was told as lost, or nearly: an hour that is set back does not bring it back
            if not one.start <= wall < one.end or one.done or one.doubtful or one.rung is Rung.FM_SLOT:
                continue
            sounds = any(self.of(output) is one for output in sounding.values())
            if self._is_due(one, box, held, wall, now=now, sounds=sounds) and (best is None or one.rung < best.rung):
                best = one
        return best

    def _is_due(self, one: Occurrence, box: Box, held: Held, wall: WallMs, *, now: WallMs, sounds: bool) -> bool:
        content = one.item.content
        assert isinstance(content, Programme), "relays are judged by the gate"
        if content.media.digest in box.device.card.rotten:
            one.doubtful = True  # how often it is tried, and whether it is heard to its half, is left open
            return False
        if box.device.hindrances.has("decoder"):
            one.failed = (now, one.failed[1])
            return False
        if one.failed[1] >= _FAILURES_MAX or now - one.failed[0] < _AGAIN_MS:
            return False
        here = content.media.digest in self.stored and content.media.digest in box.device.card.media
        if not here or not _lives(one, held, wall):
            return False
        fresh = wall - one.start <= FRESH_MS
        unsaved = box.device.card.broken or now - box.save_failed < FRESH_MS
        one.begun = one.begun or (fresh and not unsaved)  # what could not be stored has not begun
        late = not one.begun and one.item.catch_up is CatchUp.SKIP
        return not late and (fresh or sounds or one.end - wall >= REMAINING_MS_MIN)


def _lives(one: Occurrence, held: Held, wall: WallMs) -> bool:
    """Section 3: past its end, or without a fresh head for longer than the policy, stored programmes stop."""
    for _, schedule in held.schedules():
        if schedule.scope == one.scope:
            confirmed = max(schedule.issued, held.head)
            return wall < schedule.expires and wall - confirmed <= held.rules.head_age_ms_max
    return False
