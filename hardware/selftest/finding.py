"""What a trial is, and what it found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardware.selftest.bench import Bench

Figure = float | int | str | bool


class Result(StrEnum):
    """How a part is. Only FAIL makes the whole fail; ABSENT is a part that this board does not have."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one trial found.

    Attributes:
        found: one sentence, translated.
        advice: what to do next, translated; empty when nothing needs doing.
        figures: what was measured, units last in the names; for machines, not translated.
        rows: a table of its own, such as the stations that were heard; the first row is its heading.
    """

    result: Result
    found: str
    advice: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """One part and how it is tried.

    Attributes:
        title, lost: English; translated when they are shown. `lost` says what does not work without the part.
        within_s: after this it has failed, whatever it waits for.
        on_board: it touches what a running agent holds, so it cannot run beside one.
        sections: of board.json whose parts it needs; one that could not be opened is what it reports then.
    """

    name: str
    title: str
    lost: str
    run: Callable[[Bench], Awaitable[Finding]]
    within_s: float
    on_board: bool = True
    sections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """A trial that was run."""

    trial: Trial
    finding: Finding
    took_ms: int
