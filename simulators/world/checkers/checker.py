"""What every checker is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from protocol.clock import WallMs
from simulators.world.trace import Record


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule was broken.

    Attributes:
        at: true wall time.
        rule: the checker's name.
        words: what was wrong, for a developer.
    """

    at: WallMs
    who: str
    rule: str
    words: str


Tell = Callable[[str, str, str], None]
"""Who, rule, words: a violation just now."""


class Checker(Protocol):
    """Looks at all that happens, in its order; at the end of the world once more."""

    def take(self, record: Record) -> None:
        """One record. Must change nothing."""
        ...

    def end(self) -> None:
        """The world is over, and was calm for its last hours."""
        ...
