"""Behaviour, sections 1 and 3, of relay slots: a web radio that broke off sounds again when it is there again.

Meanwhile whatever the ladder says next sounds. A station that has given sound for a while, while its slot lasts and
nothing forbids it, is heard; how long before that it is tried is left open.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from edge.core.output import Rung, StreamOutput
from protocol.clock import WallMs
from protocol.report import EndReason
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.right import Right
from simulators.world.checkers.truth import Box, Truth
from simulators.world.sound_source import Flow
from simulators.world.trace import Record

THERE_MS: Final = 45_000
"""Twelve seconds it rests after it broke off; opened too early once, it rests as long again."""
_LOOK_MS: Final = 2500


class Relay:
    """From the end of a web radio on looks every few seconds whether it is back."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._right = Right(truth.world.offices.signed)
        truth.on("sound.ended", self._ended)

    def _ended(self, box: Box, record: Record) -> None:
        output, reason = record.thing.output, record.thing.reason
        if isinstance(output, StreamOutput) and reason not in (EndReason.COMPLETE, EndReason.STOPPED):
            self._look(box, output, record.at)

    def _look(self, box: Box, output: StreamOutput, since: WallMs) -> None:
        """Args: since: when it was last not there, or something else kept it silent."""
        now = self._truth.now
        if box.booted is None or box.rung is Rung.FM_SLOT or self._is_over(box, output):
            return
        lets = box.device.flow(output.address) is Flow.ON and not box.device.hindrances.lately(now)
        if not lets or box.rung < Rung.FM_SLOT or self._is_unsaved(box):
            since = now
        if now - since >= THERE_MS:
            self._tell(box.name, "relay", f"{output.item} gives sound for {now - since} ms and is not heard")
            return
        self._truth.at(WallMs(now + _LOOK_MS), box, partial(self._look, box, output, since))

    def _is_over(self, box: Box, output: StreamOutput) -> bool:
        wall = self._papers.wall(box)
        return self._right.wrong_with(output, self._papers.held[box.name], wall, fresh=False) is not None

    def _is_unsaved(self, box: Box) -> bool:
        return box.device.card.broken or self._truth.now - box.save_failed < THERE_MS

    def end(self) -> None:
        """See `Rule`."""
