"""The lamps at the device, as a person sees them."""

from __future__ import annotations

import asyncio
from typing import Final

from hardware.interfaces import Glow, LampStates

_HALF_S: Final = 0.5


class SimLamps:
    """Implements `hardware.interfaces.Lamps`.

    Attributes:
        states: how they shine now.
    """

    def __init__(self) -> None:
        self.states = LampStates()

    def show(self, states: LampStates) -> None:
        """See `hardware.interfaces.Lamps`."""
        self.states = states

    def lit(self, name: str) -> bool:
        """Whether a lamp is bright at this moment."""
        glow = Glow(getattr(self.states, name))
        bright = int(asyncio.get_running_loop().time() / _HALF_S) % 2 == 0
        return glow is Glow.ON or (glow is Glow.BLINK and bright)
