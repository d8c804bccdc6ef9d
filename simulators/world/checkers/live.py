"""Behaviour, section 3: "A live session whose segments stop: ≤ 2 s of buffer, then what the ladder says next. When
segments come back it returns, at most once every 10 s." Trust.md: each segment is signed by the session's key, with a
counter; so nobody's else, and no old one, keeps a session on the air.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from edge.core.output import LiveOutput
from protocol.clock import WallMs
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.speech import Flow, Speech
from simulators.world.checkers.truth import Box, Truth
from simulators.world.trace import Record

BUFFER_MS: Final = 2000
_SLACK_MS: Final = 1200
"""A segment is a second long, and half a second is given before what is left is surely over."""
RETURN_MS: Final = 10_000
_LOOK_MS: Final = 1000


class Live:
    """Looks at what sounds once a second while it sounds."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._speech = Speech(truth, papers, gap_ms=BUFFER_MS)
        self._returned: dict[tuple[str, str], WallMs] = {}
        self._stalled: dict[tuple[str, str], bool] = {}
        self._frozen: dict[tuple[str, str], bool] = {}
        truth.on("sound.began", self._began)
        truth.on("sound.ended", self._ended)

    def _flow(self, box: Box, output: LiveOutput) -> Flow:
        return self._speech.flows[box.name].get(output.session_id, Flow())

    def _began(self, box: Box, record: Record) -> None:
        output = record.thing.output
        if not isinstance(output, LiveOutput):
            return
        name, flow = (box.name, output.key), self._flow(box, output)
        former = self._returned.get(name)
        # The former one may have been heard later than it returned, by a lead-in that this one does not need.
        soonest_ms = RETURN_MS - _SLACK_MS - self._papers.held[box.name].lead_in_ms
        if self._stalled.pop(name, False) and former is not None and record.at - former < soonest_ms:
            self._tell(box.name, "live", f"returns {record.at - former} ms after it did before")
        if not self._frozen.pop(name, False):  # what goes on after the agent hung has not returned
            self._returned[name] = record.at
        if record.at - flow.last > BUFFER_MS + _SLACK_MS:
            self._tell(box.name, "live", "sounds without a true segment")
        self._truth.at(WallMs(record.at + _LOOK_MS), box, partial(self._look, box, output))

    def _look(self, box: Box, output: LiveOutput) -> None:
        if output.key not in box.sounding:
            return
        flow = self._flow(box, output)
        if self._truth.now - flow.last > BUFFER_MS + _SLACK_MS:
            self._tell(box.name, "live", f"sounds {self._truth.now - flow.last} ms after its last true segment")
            return
        self._truth.at(WallMs(self._truth.now + _LOOK_MS), box, partial(self._look, box, output))

    def _ended(self, box: Box, record: Record) -> None:
        output = record.thing.output
        if isinstance(output, LiveOutput):
            self._frozen[box.name, output.key] = box.device.hindrances.has("hung")
            self._stalled[box.name, output.key] = record.at - self._flow(box, output).last >= _SLACK_MS

    def end(self) -> None:
        """See `Rule`."""
