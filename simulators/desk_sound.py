"""The sound path of a desk as a model: what sounds, and what will happen to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.core.events import Event
from edge.core.output import Output, Silence
from protocol.clock import WallMs

NOMINAL_CDB = -1800


@dataclass
class SoundModel:
    """What sounds, as the engine would have it."""

    output: Output = Silence()
    began: WallMs = WallMs(0)
    planned: tuple[int, Output] | None = None
    level_cdb: int = NOMINAL_CDB
    shift_ms: int = 0
    failing: bool = False
    spans: list[tuple[int, int, Output]] = field(default_factory=list)


@dataclass(frozen=True)
class Begin:
    output: Output


@dataclass(frozen=True)
class End:
    key: str


@dataclass(frozen=True)
class Unopened:
    key: str


@dataclass(frozen=True)
class Dry:
    key: str
    count: int
    failing: bool = False


@dataclass(frozen=True)
class Second:
    key: str


@dataclass(frozen=True)
class Reading:
    frequency_khz: int | None


Timed = Event | Begin | End | Unopened | Dry | Second | Reading
