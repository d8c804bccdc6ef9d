"""The way between one device and the controller's side: delay, loss, and all the ways of not being there."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class Weather:
    """How the line is; change it and it is so from the next message on.

    Attributes:
        up: whether anything passes at all.
        half_open: both ends believe in the connection and nothing passes.
        delay_ms, jitter_ms: one way.
        loss: part of the connections that break for each message (TCP hides single losses behind delay).
    """

    up: bool = True
    half_open: bool = False
    delay_ms: int = 40
    jitter_ms: int = 30
    loss: float = 0.0


class Line:
    """Carries messages in order, one direction behind the other.

    Args:
        chance: the line's own stream.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._loop = asyncio.get_running_loop()
        self.weather = Weather()
        self._free_at: dict[str, float] = {}
        self.broken: list[Callable[[], None]] = []
        """Called when the line goes down in a way that both ends notice."""

    @property
    def passes(self) -> bool:
        """Whether a message sent now would arrive."""
        return self.weather.up and not self.weather.half_open

    def carry(self, way: str, arrive: Callable[[], None]) -> None:
        """Brings something over, behind all that was sent the same way before; or loses it with the connection."""
        if not self.passes:
            return
        weather = self.weather
        if weather.loss and self._chance.random() < weather.loss:
            self.break_off()
            return
        delay_s = (weather.delay_ms + self._chance.random() * weather.jitter_ms) / 1000
        at = max(self._loop.time() + delay_s, self._free_at.get(way, 0.0))
        self._free_at[way] = at
        self._loop.call_at(at, arrive)

    def cut(self) -> None:
        """Nothing passes, and both ends know."""
        self.weather.up = False
        self.break_off()

    def restore(self) -> None:
        """As good as new."""
        self.weather = Weather()

    def break_off(self) -> None:
        """Whatever is open over this line ends."""
        ends, self.broken = self.broken, []
        for end in ends:
            end()
