"""Which live sessions flow to a device, from the segments it was given: signatures and counters are judged anew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from edge.core.events import Booted, LiveSegmentReceived
from protocol.clock import WallMs
from protocol.errors import DocumentError
from protocol.keys import public_key, verify
from protocol.live import LiveSegment, LiveSession, opus_packets, unpack_segment
from simulators.world.checkers.holding import Accepted
from simulators.world.checkers.papers import Papers
from simulators.world.checkers.truth import Box, Truth
from simulators.world.trace import Record


@dataclass(slots=True)
class Flow:
    """One session on one device.

    Attributes:
        counter: of the newest true segment.
        last: when it came; `since` the first of those that follow each other without a gap.
        over: it said goodbye.
        gaps: how often its segments stopped.
    """

    counter: int = -1
    last: WallMs = WallMs(0)
    since: WallMs = WallMs(0)
    over: bool = False
    gaps: int = -1


class Speech:
    """Follows all sessions.

    Attributes:
        flows: by device and session.
    """

    def __init__(self, truth: Truth, papers: Papers, *, gap_ms: int) -> None:
        self._papers, self._gap_ms = papers, gap_ms
        self.flows: dict[str, dict[str, Flow]] = {name: {} for name in truth.boxes}
        truth.on(LiveSegmentReceived, self._segment)
        truth.on(Booted, self._booted)

    def _booted(self, box: Box, _: Record) -> None:
        """What was said before the power cut is over; a little of what follows may be lost with it."""
        for flow in self.flows[box.name].values():
            flow.counter += 25
            flow.last = flow.since = WallMs(0)

    def session(self, box: Box, session_id: str) -> tuple[Accepted, LiveSession] | None:
        """The announcement that the device holds."""
        for one in self._papers.held[box.name].lives.values():
            if isinstance(one.signed.document, LiveSession) and one.signed.document.id == session_id:
                return one, one.signed.document
        return None

    def _segment(self, box: Box, record: Record) -> None:
        segment = _read(record.thing.event.data)
        held = self.session(box, segment.session_id) if segment is not None else None
        if segment is None or held is None or not _is_true(segment, held[1].key):
            return
        flow = self.flows[box.name].setdefault(segment.session_id, Flow())
        if segment.counter <= flow.counter:
            return
        if record.at - flow.last > self._gap_ms:
            flow.since, flow.gaps = record.at, flow.gaps + 1
        flow.counter, flow.last, flow.over = segment.counter, record.at, not segment.sound


@lru_cache(maxsize=512)
def _read(data: bytes) -> LiveSegment | None:
    try:
        segment = unpack_segment(data)
        opus_packets(segment.sound)
    except DocumentError:
        return None
    return segment


@lru_cache(maxsize=512)
def _is_true(segment: LiveSegment, key: str) -> bool:
    return verify(public_key(key), segment.signature, segment.signed_bytes())
