"""The rules of the horn, held against what happened: a file for each rule, which it quotes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simulators.world.checkers import quiet_hours
from simulators.world.checkers.as_run import AsRunLog
from simulators.world.checkers.bounded import Bounded
from simulators.world.checkers.checker import Checker, Tell
from simulators.world.checkers.clock import Clock
from simulators.world.checkers.converged import Converged
from simulators.world.checkers.court import Court, MakeRule
from simulators.world.checkers.durable import Durable
from simulators.world.checkers.emergency import Emergency
from simulators.world.checkers.fault_told import FaultTold
from simulators.world.checkers.fm_gate import FmGate
from simulators.world.checkers.in_force import InForce
from simulators.world.checkers.ladder import Ladder
from simulators.world.checkers.live import Live
from simulators.world.checkers.once import Once
from simulators.world.checkers.proof import Proof
from simulators.world.checkers.relay import Relay
from simulators.world.checkers.start import Start
from simulators.world.checkers.verified_source import VerifiedSource
from simulators.world.checkers.versions import Versions

if TYPE_CHECKING:
    from simulators.world.world import World

RULES: Final[tuple[MakeRule, ...]] = (
    VerifiedSource,
    Ladder,
    Emergency,
    Start,
    Once,
    FmGate,
    Relay,
    Live,
    Clock,
    InForce,
    Versions,
    Durable,
    AsRunLog,
    FaultTold,
    Proof,
    Bounded,
    Converged,
)
"""All rules that look at the same pass of the records."""


def court(world: World, tell: Tell) -> Checker:
    """All of them."""
    return Court(world, tell, RULES)


CHECKERS: Final[tuple[Callable[[World, Tell], Checker], ...]] = (quiet_hours.QuietHours, court)
