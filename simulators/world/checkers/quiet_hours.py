"""Behaviour, section 1: rungs 4 to 8 are not allowed in quiet hours (the microphone by signed policy)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from edge.core.output import Rung
from edge.core.timeline import config_of
from protocol.audible_config import in_any
from protocol.clock import WallMs
from simulators.world.checkers.checker import Tell
from simulators.world.horn import Heard
from simulators.world.trace import Record

if TYPE_CHECKING:
    from simulators.world.world import World

_TOLERANCE_MS: Final = 60_000
"""A believed clock may be so far off: two sources within a minute of each other agree."""


class QuietHours:
    """Nothing below rung 3 sounds deep in quiet hours."""

    def __init__(self, world: World, tell: Tell) -> None:
        self._world, self._tell = world, tell
        self._sounding: dict[str, Rung] = {}

    def take(self, record: Record) -> None:
        """See `Checker`."""
        if not isinstance(record.thing, Heard):
            if record.who in self._sounding and record.what != "violation":
                self._look(record.who, record.at)
            return
        if record.thing.reason is None:
            self._sounding[record.who] = record.thing.output.rung
            self._look(record.who, record.at)
        else:
            self._sounding.pop(record.who, None)

    def _look(self, who: str, at: WallMs) -> None:
        device = self._world.devices[who]
        if self._sounding[who] <= Rung.MICROPHONE or device.state is None:
            return
        hours = config_of(device.state).quiet_hours
        edges = (WallMs(at - _TOLERANCE_MS), at, WallMs(at + _TOLERANCE_MS))
        if all(in_any(hours, one) for one in edges):
            self._tell(who, "quiet_hours", f"rung {self._sounding.pop(who)} in quiet hours")

    def end(self) -> None:
        """See `Checker`."""
