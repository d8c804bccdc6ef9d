"""A power amplifier whose enable line opens the horn, a while after it is switched on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from simulators.horn import SimHorn
from simulators.loop_clock import LoopClock

_EDGES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Edge:
    """A change of the enable line."""

    mono_ms: float
    on: bool


class SimAmplifier:
    """Implements `edge.ports.Amplifier`.

    Attributes:
        edges: the last changes, oldest first.
    """

    def __init__(self, clock: LoopClock, horn: SimHorn) -> None:
        self._clock = clock
        self._horn = horn
        self._on = False
        self._bridged = False
        self.edges: deque[Edge] = deque(maxlen=_EDGES_MAX)

    @property
    def on(self) -> bool:
        """Whether it amplifies, by the line or by a bridge over it."""
        return self._on or self._bridged

    async def switch(self, on: bool) -> None:
        """See `edge.ports.Amplifier`."""
        self.drive(on)

    def drive(self, on: bool) -> None:
        """The enable line as a circuit sets it."""
        self._set(on=on, bridged=self._bridged)

    def bridge(self, bridged: bool) -> None:
        """Somebody holds it on by hand, whatever the line says."""
        self._set(on=self._on, bridged=bridged)

    def glitch(self) -> None:
        """The enable line latches on by itself; the next command ends it."""
        self._set(on=True, bridged=self._bridged)

    def _set(self, *, on: bool, bridged: bool) -> None:
        before = self.on
        self._on, self._bridged = on, bridged
        if self.on != before:
            now = self._clock.exact_mono_ms()
            self.edges.append(Edge(now, self.on))
            self._horn.gate(now, self.on)
