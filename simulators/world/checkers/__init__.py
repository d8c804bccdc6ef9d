"""The rules of the horn, held against what happened: a file for each rule, which it quotes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simulators.world.checkers import quiet_hours
from simulators.world.checkers.checker import Checker, Tell

if TYPE_CHECKING:
    from simulators.world.world import World

CHECKERS: Final[tuple[Callable[[World, Tell], Checker], ...]] = (quiet_hours.QuietHours,)
