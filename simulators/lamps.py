"""The lamps at the device, as a person sees them."""

from __future__ import annotations

from hardware.interfaces import LampStates


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
