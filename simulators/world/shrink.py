"""Makes a plan that breaks a rule as short as it can be: fewer devices, fewer happenings, an earlier end.

Delta debugging (Zeller, Hildebrandt: Simplifying and Isolating Failure-Inducing Input, 2002) over happenings; what
counts as the same failure is the same rule broken, not the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from simulators.world.checkers.checker import Violation
from simulators.world.clock import DAWN
from simulators.world.plan import Happening, Plan
from simulators.world.world import Run, names_of

_AFTER_MS: Final = 60_000
_RUNS_MAX: Final = 400


class Shrinker:
    """Args: tell: is told of every step forward. runs_max: gives up after so many worlds."""

    def __init__(
        self, plan: Plan, rule: str, *, tell: Callable[[str], None] = lambda _: None, runs_max: int = _RUNS_MAX
    ) -> None:
        self._plan, self._rule, self._tell = plan, rule, tell
        self._left = runs_max

    def __call__(self) -> Plan:
        """The shortest plan found that still breaks the rule."""
        found = self._broken_by(self._plan)
        if found is None:
            raise ValueError(f"the plan does not break {self._rule}")
        self._end_early(found)
        self._keep_only(found.who)
        self._drop_happenings()
        self._end_early(self._broken_by(self._plan) or found)
        return self._plan

    def _broken_by(self, plan: Plan) -> Violation | None:
        self._left -= 1
        run = Run(plan, violations_max=200)
        run()
        return next((one for one in run.violations if one.rule == self._rule), None)

    def _is_shorter(self, plan: Plan) -> bool:
        if self._left <= 0 or self._broken_by(plan) is None:
            return False
        self._plan = plan
        self._tell(
            f"{len(plan.happenings)} happenings, {len(names_of(plan.shape))} devices, {plan.shape.days:.3f} days"
        )
        return True

    def _end_early(self, found: Violation) -> None:
        """Nothing after the failure; a rule about the end of a world needs that end."""
        end_ms = found.at - DAWN + _AFTER_MS
        if end_ms >= self._plan.shape.end_ms:
            return
        kept = tuple(one for one in self._plan.happenings if one.at_ms <= end_ms)
        self._is_shorter(Plan(replace(self._plan.shape, days=end_ms / 86_400_000), kept))

    def _keep_only(self, who: str) -> None:
        names = names_of(self._plan.shape)
        if who in names and len(names) > 1:
            others = {*names} - {who}
            kept = tuple(one for one in self._plan.happenings if one.who not in others)
            self._is_shorter(Plan(replace(self._plan.shape, only=(who,)), kept))

    def _drop_happenings(self) -> None:
        pieces = 2
        while self._left > 0 and self._plan.happenings:
            happenings = self._plan.happenings
            if self._drops_one_of(_cut(happenings, pieces)):
                pieces = max(2, pieces - 1)
            elif pieces >= len(happenings):
                return
            else:
                pieces = min(len(happenings), pieces * 2)

    def _drops_one_of(self, parts: Sequence[tuple[Happening, ...]]) -> bool:
        for part in parts:
            gone = {id(one) for one in part}
            kept = tuple(one for one in self._plan.happenings if id(one) not in gone)
            if self._is_shorter(replace(self._plan, happenings=kept)):
                return True
        return False


def _cut(happenings: tuple[Happening, ...], pieces: int) -> list[tuple[Happening, ...]]:
    size = max(1, -(-len(happenings) // pieces))
    return [happenings[start : start + size] for start in range(0, len(happenings), size)]
