"""Who looks at every new state of the agent and passes it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from edge.core.clock_trust import believed
from edge.core.state import AgentState
from edge.core.timeline import config_of
from edge.lamps import lamps_of
from edge.ports import Clock, Lamps
from hardware.interfaces import LampStates
from protocol.clock import ClockTrust


class Amplified(Protocol):
    """A sound path that takes the signed times of the amplifier."""

    def configure(self, *, lead_in_ms: int, hold_ms: int) -> None:
        """They count from the amplifier's next change."""
        ...


class Onlooker:
    """Shows the lamps, tells the sound path the signed times of the amplifier, and the caller everything."""

    def __init__(self, sound: Amplified, lamps: Lamps, observe: Callable[[AgentState], None]) -> None:
        self._sound, self._lamps, self._observe = sound, lamps, observe
        self._shown: LampStates | None = None
        self._documents: object = None
        self._state: AgentState | None = None

    def state(self) -> AgentState | None:
        """What the agent knows now; None until it has booted."""
        return self._state

    def agreed_ms(self, clock: Clock) -> int | None:
        """The hour while two sources agree about it: the guardian is not told a guess."""
        if self._state is None:
            return None
        now = believed(self._state.clock, clock.now())
        return now.wall if now.clock is ClockTrust.AGREED else None

    def __call__(self, state: AgentState) -> None:
        self._state = state
        if state.trust.documents is not self._documents:
            self._documents = state.trust.documents
            config = config_of(state)
            self._sound.configure(lead_in_ms=config.amplifier_lead_in_ms, hold_ms=config.amplifier_hold_ms)
        shown = lamps_of(state)
        if shown != self._shown:
            self._shown = shown
            self._lamps.show(shown)
        self._observe(state)
