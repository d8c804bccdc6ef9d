"""What is true of every device, put together from the records alone: the ground that all rules are judged on.

Checkers ask to be told of kinds of records (`on`), and of instants that come (`at`). An event that the core was told
counts when the next thing happens to the device: a decision whose save failed did not happen (`edge.runner`).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from edge.core.events import Booted, ClockSource, Event, StateSaveFailed
from edge.core.output import Output, Rung
from protocol.clock import MonoMs, WallMs
from simulators.world.device import Told, WorldDevice
from simulators.world.horn import Heard
from simulators.world.trace import Record

if TYPE_CHECKING:
    from simulators.world.world import World

SKEW_MS: Final = 120_000
CONTRADICTION_MS: Final = 300_000
AGREEMENT_MS: Final = 60_000
"""Behaviour, section 5: sources within 60 s of each other agree; so far may a believed clock be off."""


@dataclass(slots=True)
class Box:
    """One device as somebody would know it who saw everything.

    Attributes:
        powered: since when the power is on; None while it is off.
        booted: since when the agent is up.
        sounding: what sounds, by key, and since when; the newest last.
        quiet_since: when the last sound of this boot ended: the amplifier may be on yet.
        told, told_at: the last event of this boot, and its true time.
        save_failed: when a decision last did not happen because it could not be stored.
    """

    device: WorldDevice
    powered: WallMs | None = None
    booted: WallMs | None = None
    sounding: dict[str, tuple[Output, WallMs]] = field(default_factory=dict)
    quiet_since: WallMs = WallMs(0)
    told: Told | None = None
    told_at: WallMs = WallMs(0)
    save_failed: WallMs = WallMs(0)
    pending: Record | None = None

    @property
    def name(self) -> str:
        """Its id."""
        return self.device.name

    @property
    def spoiled(self) -> bool:
        """Whether the card lied, rotted or was damaged: what it gave back is not the agent's doing."""
        return bool(getattr(self.device.card, "spoiled", False))

    @property
    def stuck(self) -> bool:
        """Whether the card does not answer, or will not any more: what is to be saved is decided when it does."""
        card = self.device.card
        return bool(getattr(card, "stuck", False) or getattr(card, "undone", False))

    @property
    def rung(self) -> Rung:
        """Of what sounds; silence when nothing does."""
        return min((output.rung for output, _ in self.sounding.values()), default=Rung.SILENCE)

    def mono(self, at: WallMs) -> MonoMs | None:
        """The device's own monotonic clock at a true instant of this boot."""
        return None if self.told is None else MonoMs(self.told.now.mono + at - self.told_at)

    def error_ms(self, at: WallMs) -> int | None:
        """How wrong the hour is that the device believes; None while it believes none."""
        state, mono = self.device.state, self.mono(at)
        if state is None or mono is None or self.told is None:
            return None
        clock = state.clock
        reference = clock.agreed if clock.agreed is not None else clock.attested
        if reference is None or (clock.agreed is None and _is_contradicted(clock.offsets, reference)):
            return None
        own = self.told.now.wall + at - self.told_at
        believed = own if abs(own - mono - reference) <= AGREEMENT_MS else mono + reference
        return None if believed < clock.floor - SKEW_MS else believed - at


_ENDS: Final = ("agent.ended", "power.off")
Listener = Callable[[Box, Record], None]


class Truth:
    """Listens to the trace for all checkers.

    Attributes:
        now: true time of the last record; `began` that of the world's begin.
        boxes: every device by its name.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = self.began = world.trace_wall()
        self.boxes = {name: Box(device) for name, device in world.devices.items()}
        self._events: dict[type[Event], list[Listener]] = {}
        self._records: dict[str, list[Listener]] = {}
        self._others: dict[str, list[Callable[[Record], None]]] = {}
        self._deadlines: list[tuple[WallMs, int, Box | None, Callable[[], None]]] = []
        self._count = 0

    def on(self, kind: str | type[Event], listener: Listener) -> None:
        """Is told of each such record with its device; of events, once their decision stands.

        Args:
            kind: a record's `what`, or the type of an event that a core was told.
        """
        if isinstance(kind, str):
            self._records.setdefault(kind, []).append(listener)
        else:
            self._events.setdefault(kind, []).append(listener)

    def others(self, what: str, listener: Callable[[Record], None]) -> None:
        """Is told of each record of that kind that is not a device's."""
        self._others.setdefault(what, []).append(listener)

    def at(self, when: WallMs, box: Box | None, act: Callable[[], None]) -> None:
        """Calls at an instant, before anything that happens later; all that happened before then is known."""
        self._count += 1
        heapq.heappush(self._deadlines, (when, self._count, box, act))

    def take(self, record: Record) -> None:
        """One record."""
        if self._deadlines and self._deadlines[0][0] < record.at:
            self._pass(record.at)
        self.now = record.at
        box = self.boxes.get(record.who)
        if box is None:
            self._take_other(record)
            return
        if record.what == "told":
            self._take_told(box, record)
            return
        if box.pending is not None and not box.stuck:
            self._commit(box)
        elif record.what in _ENDS:
            box.pending = None  # its save hung, or lost its power, until nobody waited for it any more
        self._take_fact(box, record)
        # An agent that has died is as gone as one whose power is.
        what = "power.off" if record.what == "agent.ended" else record.what
        for listener in self._records.get(what, ()):
            listener(box, record)

    def settle(self, now: WallMs) -> None:
        """The end: all that waits is looked at."""
        self._pass(now)
        self.now = now
        for box in self.boxes.values():
            self._commit(box)

    def _take_other(self, record: Record) -> None:
        """What is not a device's own: a report that reached the controller, or something that people did."""
        for hear in self._others.get(record.what, ()):
            hear(record)
        listeners = self._records.get(record.what)
        box = self.boxes.get(getattr(record.thing, "device", "")) if listeners else None
        if listeners is not None and box is not None:
            if box.pending is not None and not box.stuck:
                self._commit(box)
            for listener in listeners:
                listener(box, record)

    def _take_told(self, box: Box, record: Record) -> None:
        event = record.thing.event
        if box.pending is not None:
            if type(event) is StateSaveFailed:
                box.pending = None
            else:
                self._commit(box)
        box.told, box.told_at = record.thing, record.at
        if type(event) is Booted:
            box.booted = record.at
        elif type(event) is StateSaveFailed:
            box.save_failed = record.at
        if type(event) in self._events:
            box.pending = record
            self.at(WallMs(record.at + getattr(box.device.card, "slow_ms", 0)), box, _nothing)

    def _commit(self, box: Box) -> None:
        record, box.pending = box.pending, None
        if record is not None:
            later, self.now = self.now, record.at  # it was decided then, and judged by the hour of then
            for listener in self._events[type(record.thing.event)]:
                listener(box, record)
            self.now = later

    def _take_fact(self, box: Box, record: Record) -> None:
        if isinstance(record.thing, Heard):
            output = record.thing.output
            if record.thing.reason is None:
                box.sounding[output.key] = (output, record.at)
            else:
                box.sounding.pop(output.key, None)
                box.quiet_since = record.at
        elif record.what == "power.on":
            box.powered, box.quiet_since = record.at, WallMs(0)
        elif record.what == "power.off":
            box.powered = box.booted = box.told = None
        elif record.what == "agent.ended":
            box.booted = box.told = None

    def _pass(self, now: WallMs) -> None:
        """Every instant before this one."""
        while self._deadlines and self._deadlines[0][0] < now:
            when, _, box, act = heapq.heappop(self._deadlines)
            self.now = when
            if box is not None and box.pending is not None and not box.stuck:
                self._commit(box)
            act()


def _is_contradicted(offsets: Mapping[ClockSource, int], attested: int) -> bool:
    """The controller alone is not believed against a chip or a network of the device's own (clock_trust)."""
    own = [one for source, one in offsets.items() if source in (ClockSource.RTC, ClockSource.CELLULAR)]
    return any(abs(one - attested) > CONTRADICTION_MS for one in own)


def _nothing() -> None:
    """That an instant has come is enough: what was pending counts."""
