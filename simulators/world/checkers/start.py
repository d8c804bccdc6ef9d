"""Behaviour, section 2: "Programmes begin at their second: the start is planned ahead, the decoder is warm, the first
sample leaves at the time." And: "never two sources mixed, except a lower rung ducked under an attention tone."

Judged by the hour that the device believes. A start is planned ahead where the device was up, knew the item and had
its sound some time before; what comes to sound later than that is judged by `ladder`.
"""

from __future__ import annotations

from typing import Final

from edge.core.events import MediaStored
from edge.core.output import AlertOutput, MicrophoneOutput, ProgrammeOutput, Rung
from protocol.clock import WallMs
from protocol.document import Kind
from simulators.world.checkers.checker import Tell
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.trace import Record

LATE_MS: Final = 150
AHEAD_MS: Final = 12_000
"""So long before its second everything must have been there: what is told ahead is told 8 s ahead."""
_FRESH_MS: Final = 1500
_TONE_SLACK_MS: Final = 200


class Start:
    """Looks at every beginning."""

    def __init__(self, truth: Truth, papers: Papers, tell: Tell) -> None:
        self._truth, self._papers, self._tell = truth, papers, tell
        self._stored: dict[tuple[str, str], WallMs] = {}
        truth.on("sound.began", self._began)
        truth.on(MediaStored, self._came)

    def _came(self, box: Box, record: Record) -> None:
        self._stored[box.name, record.thing.event.digest] = record.at

    def _began(self, box: Box, record: Record) -> None:
        self._mixes(box, record)
        output, error_ms = record.thing.output, box.error_ms(record.at)
        if not isinstance(output, ProgrammeOutput) or error_ms is None or output.origin != output.start:
            return
        late_ms = record.at + error_ms - output.start
        if LATE_MS < late_ms < _FRESH_MS and self._was_ready(box, output, record.at, late_ms):
            self._tell(box.name, "start", f"{output.item} begins {late_ms} ms late")

    def _was_ready(self, box: Box, output: ProgrammeOutput, now: WallMs, late_ms: int) -> bool:
        ready = now - late_ms - AHEAD_MS
        held = self._papers.held[box.name]
        schedule = held.versioned.get((Kind.SCHEDULE, output.scope)) if output.scope is not None else None
        up = box.booted is not None and box.booted < ready
        idle = box.quiet_since < ready and not any(
            since >= ready for key, (_, since) in box.sounding.items() if key != output.key
        )
        known = schedule is not None and schedule.at < ready
        here = self._stored.get((box.name, output.media.digest), WallMs(0)) < ready
        saved = box.save_failed < ready and not box.device.hindrances.during(WallMs(ready), now)
        believed = self._papers.believed_since.get(box.name, now) < ready
        return up and idle and known and here and saved and believed

    def _mixes(self, box: Box, record: Record) -> None:
        """Whatever sounded before has ended when the next begins."""
        others = [output for output, _ in box.sounding.values() if output.key != record.thing.output.key]
        if not others:
            return
        output, under = record.thing.output, others[0]
        ducked = isinstance(output, AlertOutput) and not isinstance(under, AlertOutput | MicrophoneOutput)
        if len(others) > 1 or not ducked:
            self._tell(box.name, "mixing", f"{output.key[:40]} begins over {under.key[:40]}")
            return
        over = WallMs(record.at + output.tone_ms + _TONE_SLACK_MS)
        self._truth.at(over, box, lambda: self._still(box, under.key))

    def _still(self, box: Box, key: str) -> None:
        if key in box.sounding and len(box.sounding) > 1 and box.rung <= Rung.PRIORITY:
            self._tell(box.name, "mixing", f"{key[:40]} goes on under an alert after its tone")

    def end(self) -> None:
        """See `Rule`."""
