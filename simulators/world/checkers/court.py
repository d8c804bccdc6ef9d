"""All rules over one pass of the records: what they share is worked out once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Truth
from simulators.world.trace import Record

if TYPE_CHECKING:
    from simulators.world.world import World


class Rule(Protocol):
    """A rule of behaviour.md; asks the truth and the papers to be told of what it judges."""

    def end(self) -> None:
        """The world is over, and was calm for its last hours."""
        ...


class MakeRule(Protocol):
    """How a rule is made."""

    def __call__(self, truth: Truth, papers: Papers, tell: Tell, /) -> Rule: ...


class Court:
    """Implements `simulators.world.checkers.checker.Checker` for many rules.

    Args:
        rules: in the order in which they look.
    """

    def __init__(self, world: World, tell: Tell, rules: tuple[MakeRule, ...]) -> None:
        self._world = world
        self.truth = Truth(world)
        self.papers = Papers(self.truth)
        self._rules = [make(self.truth, self.papers, tell) for make in rules]

    def take(self, record: Record) -> None:
        """See `Checker`."""
        self.truth.take(record)

    def end(self) -> None:
        """See `Checker`."""
        self.truth.settle(self._world.trace_wall())
        for rule in self._rules:
            rule.end()
