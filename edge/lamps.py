"""What the three lamps at the device say, worked out of what the agent knows.

on air   steady: it sounds. Blinking: it will in a moment; whoever holds the talk button waits until it is steady.
link     steady: the controller is reached. Blinking: it is looked for. A stick that was read turns the one into the
         other for ten seconds.
fault    steady: something is wrong, and the office knows what. Blinking: somebody here is meant: sound that nobody
         ordered was muted, a message button has nothing to play, a stick held nothing that is obeyed.
"""

from __future__ import annotations

from typing import Final

from edge.core.output import Silence
from edge.core.state import AgentState
from hardware.interfaces import Glow, LampStates
from protocol.report import FaultCode

_HERE: Final = frozenset({FaultCode.SOUND_UNEXPECTED, FaultCode.MESSAGE_MISSING})


def lamps_of(state: AgentState) -> LampStates:
    """How the lamps shine now."""
    return LampStates(on_air=_on_air(state), link=_link(state), fault=_fault(state))


def _on_air(state: AgentState) -> Glow:
    sound = state.sound
    if isinstance(sound.output, Silence):
        return Glow.OFF
    return Glow.ON if sound.started == sound.output.key and sound.card_present else Glow.BLINK


def _link(state: AgentState) -> Glow:
    stick = state.stick is not None and state.stick.useful
    return Glow.ON if state.link_up is not stick else Glow.BLINK


def _fault(state: AgentState) -> Glow:
    useless_stick = state.stick is not None and not state.stick.useful
    if useless_stick or not _HERE.isdisjoint(state.faults):
        return Glow.BLINK
    return Glow.ON if state.faults else Glow.OFF
