"""The rules of the horn, held against what happened: a file for each rule, which it quotes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simulators.world.checkers import quiet_hours
from simulators.world.checkers.checker import Checker, Tell
from simulators.world.checkers.court import Court, MakeRule
from simulators.world.checkers.ladder import Ladder
from simulators.world.checkers.verified_source import VerifiedSource

if TYPE_CHECKING:
    from simulators.world.world import World

RULES: Final[tuple[MakeRule, ...]] = (VerifiedSource, Ladder)
"""All rules that look at the same pass of the records."""


def court(world: World, tell: Tell) -> Checker:
    """All of them."""
    return Court(world, tell, RULES)


CHECKERS: Final[tuple[Callable[[World, Tell], Checker], ...]] = (quiet_hours.QuietHours, court)
