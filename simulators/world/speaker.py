"""Below the horn: what somebody under the pole hears, whatever the agent believes.

Stands for what lies behind the sound card's driver: the card's plug, the relay of the guardian, the amplifier and its
line to the loudspeaker. All that sounds goes through here, so the truth is told in one place, and a rule that is held
against it cannot be met by a wish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edge.core.output import FmOutput, Output
from protocol.report import EndReason


@dataclass(frozen=True, slots=True)
class Heard:
    """A sound began or ended, as somebody below the horn would tell.

    Attributes:
        reason: why it ended; None when it began.
    """

    output: Output
    reason: EndReason | None = None


class Block(StrEnum):
    """What keeps a sound from being heard although the agent lets it sound."""

    CARD = "card"
    DECODER = "decoder"
    RELAY = "relay"
    AMPLIFIER = "amplifier"
    LINE = "line"
    MUTED = "muted"
    HUNG = "hung"
    TUNER = "tuner"


class Speaker:
    """One horn; it outlives its computer.

    Args:
        ear: told of every change.

    Attributes:
        blocks: what stands between; `TUNER` concerns FM alone.
    """

    def __init__(self, ear: Callable[[Heard], None]) -> None:
        self._ear = ear
        self._playing: dict[str, Output] = {}
        self._audible: dict[str, Output] = {}
        self.blocks: frozenset[Block] = frozenset()

    def begin(self, output: Output) -> None:
        """The sound path lets this sound."""
        self._playing[output.key] = output
        self._look()

    def end(self, output: Output, reason: EndReason) -> None:
        """The sound path has ended it."""
        self._playing.pop(output.key, None)
        self._look(reason)

    def block(self, what: Block, on: bool) -> None:
        """Something comes between, or goes away again."""
        blocks = self.blocks | {what} if on else self.blocks - {what}
        if blocks != self.blocks:
            self.blocks = blocks
            self._look()

    def go_dark(self) -> None:
        """The computer is gone, and with it all that was its own."""
        self._playing.clear()
        self._look()
        self.blocks -= {Block.HUNG, Block.MUTED, Block.DECODER}

    def is_through(self, output: Output) -> bool:
        """Whether it would be heard now."""
        return not self.blocks - (frozenset() if isinstance(output, FmOutput) else {Block.TUNER})

    def _look(self, reason: EndReason = EndReason.INTERRUPTED) -> None:
        audible = {key: one for key, one in self._playing.items() if self.is_through(one)}
        former, self._audible = self._audible, audible
        for key, one in former.items():
            if key not in audible:
                self._ear(Heard(one, reason if key not in self._playing else EndReason.INTERRUPTED))
        for key, one in audible.items():
            if key not in former:
                self._ear(Heard(one))
