"""A run told for people: what was done to whom, what sounded, what broke which rule; as text or as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from edge.core.events import LevelMeasured, LinkChanged, Ticked
from edge.core.output import FmOutput, Output, ProgrammeOutput
from protocol.clock import WallMs
from simulators.world.checkers.checker import Violation
from simulators.world.device import Told
from simulators.world.horn import Heard
from simulators.world.plan import Happening
from simulators.world.trace import Record

VIET_NAM: Final = timezone(timedelta(hours=7))
_DULL: Final = (Ticked, LevelMeasured)


@dataclass
class Story:
    """Listens to a world.

    Args:
        events: tell also what the core was told, but for ticks and levels.
    """

    events: bool = False
    records: list[Record] = field(default_factory=list)

    def take(self, record: Record) -> None:
        """Keeps what is worth telling."""
        thing = record.thing
        if isinstance(thing, Told):
            told = thing.event
            if isinstance(told, LinkChanged) or (self.events and not isinstance(told, _DULL)):
                self.records.append(record)
        elif isinstance(thing, Heard | Happening | Violation) or record.what.startswith("power."):
            self.records.append(record)

    def lines(self) -> Iterator[str]:
        """One line for each, with the hour in Viet Nam."""
        for one in self.records:
            yield f"{hour(one.at)}  {one.who:<12} {sentence(one)}"


def hour(at: WallMs) -> str:
    """Day and time of an instant in Viet Nam, to the millisecond."""
    local = datetime.fromtimestamp(at / 1000, UTC).astimezone(VIET_NAM)
    return f"{local:%d/%m %H:%M:%S}.{at % 1000:03}"


def sentence(record: Record) -> str:
    """What a record says, without its time and its place."""
    thing = record.thing
    if isinstance(thing, Violation):
        return f"*** {thing.rule}: {thing.words}"
    if isinstance(thing, Happening):
        number = f" {thing.number}" if thing.number else ""
        return f"{thing.what}{number} {thing.words}".rstrip()
    if isinstance(thing, Heard):
        how = "begins" if thing.reason is None else f"ends ({thing.reason})"
        return f"{in_words(thing.output)} {how}, rung {int(thing.output.rung)}"
    if isinstance(thing, Told) and isinstance(thing.event, LinkChanged):
        return "link to the controller is up" if thing.event.up else "link to the controller is down"
    return f"{record.what} {record.words}".rstrip()


def in_words(output: Output) -> str:
    """What sounds: its kind, and which one of it."""
    kind = type(output).__name__.removesuffix("Output").lower()
    if isinstance(output, ProgrammeOutput):
        return f"{kind} {output.item}"
    if isinstance(output, FmOutput):
        return f"{kind} {output.frequency_khz / 1000:.1f} MHz"
    return kind
